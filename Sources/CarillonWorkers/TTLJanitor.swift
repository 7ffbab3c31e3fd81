import CarillonMetrics
package import CarillonStore
import ServiceLifecycle

/// Cleans up behind payloads that have expired: read entries go at once, unread ones when somebody is online to be told.
///
/// Its cost follows what expired: users stand in a set per ten seconds of the clock, in a cluster in sixteen, from which pods pop
/// them.
package struct TTLJanitor: Service {
    private let rounds: UserQueueRounds
    private let worker: PeriodicWorker

    package init(
        interval: Duration,
        keeper: UserKeeper,
        queues: UserQueues,
        listener: any ClearingListener,
        context: WorkerContext
    ) {
        worker = context.periodic(.ttlJanitor, every: interval)
        let care = UserCare(keeper: keeper, listener: listener, worker: worker)
        rounds = UserQueueRounds(care: care, look: queues.expired)
    }

    package func run() async throws { try await worker.run { try await rounds.round() } }
}
