import CarillonMetrics
package import CarillonStore
import ServiceLifecycle

/// Removes entries that are older than their user wants to keep them (1 to 15 days).
///
/// A user is looked at on the day after his oldest entry is due, and at once when he changes his retention.
package struct RetentionTrimmer: Service {
    private let queues: UserQueues
    private let care: UserCare
    private let worker: PeriodicWorker

    package init(
        interval: Duration,
        keeper: UserKeeper,
        queues: UserQueues,
        listener: any ClearingListener,
        context: WorkerContext
    ) {
        self.queues = queues
        self.worker = context.periodic(.retentionTrimmer, every: interval)
        self.care = UserCare(keeper: keeper, listener: listener, worker: worker)
    }

    package func run() async throws { try await worker.run { try await round() } }

    private func round() async throws -> Int {
        var removed = 0
        while case let users = try await queues.popTrimming(), !users.isEmpty {
            for user in users {
                guard let report = try await care.keep(user) else { continue }
                removed += report.removed
                if let due = report.nextTrimMilliseconds { try await queues.scheduleTrim(of: user, at: due) }
            }
        }
        return removed
    }
}
