import CarillonMetrics
package import CarillonStore
import ServiceLifecycle

/// Cleans up behind payloads that have expired: read entries go at once, unread ones when somebody is online to be told.
///
/// Its cost follows what expired: users stand in a set per ten seconds of the clock, from which pods pop them.
package struct TTLJanitor: Service {
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
        self.worker = context.periodic(.ttlJanitor, every: interval)
        self.care = UserCare(keeper: keeper, listener: listener, worker: worker)
    }

    package func run() async throws { try await worker.run { try await round() } }

    private func round() async throws -> Int {
        var removed = 0
        while case let users = try await queues.popExpired(), !users.isEmpty {
            for user in users { removed += try await care.keep(user)?.removed ?? 0 }
        }
        return removed
    }
}
