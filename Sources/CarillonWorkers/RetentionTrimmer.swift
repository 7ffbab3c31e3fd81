import CarillonMetrics
package import CarillonStore
import ServiceLifecycle

/// Removes entries that are older than their user wants to keep them (1 to 15 days).
///
/// A user is looked at on the day after his oldest entry is due, and at once when he changes his retention.
package struct RetentionTrimmer: Service {
    private let queues: UserQueues
    private let rounds: UserQueueRounds
    private let worker: PeriodicWorker

    package init(
        interval: Duration,
        keeper: UserKeeper,
        queues: UserQueues,
        listener: any ClearingListener,
        context: WorkerContext
    ) {
        self.queues = queues
        worker = context.periodic(.retentionTrimmer, every: interval)
        let care = UserCare(keeper: keeper, listener: listener, worker: worker)
        rounds = UserQueueRounds(care: care, look: queues.trimming)
    }

    package func run() async throws { try await worker.run { try await round() } }

    private func round() async throws(StoreError) -> Int {
        try await rounds.round { [queues] user, report throws(StoreError) in
            if let due = report.nextTrimMilliseconds { try await queues.scheduleTrim(of: user, at: due) }
        }
    }
}
