import CarillonMetrics
package import CarillonStore
import ServiceLifecycle

/// Sweeps over all streams, a bounded number per second for the whole cluster, and repairs what happened behind the hub's back:
/// destroyed groups and streams, read entries that are still pending, trimmed ids, state fields without entries, entries that
/// another program wrote.
///
/// One pod sweeps at a time; where it stopped is kept in Redis, so that the next round or the next pod goes on there.
package struct GroupMaintenance: Service {
    private let interval: Duration
    private let streamsPerSecond: Int
    private let queues: UserQueues
    private let care: UserCare
    private let worker: PeriodicWorker

    package init(
        interval: Duration,
        streamsPerSecond: Int,
        keeper: UserKeeper,
        queues: UserQueues,
        listener: any ClearingListener,
        context: WorkerContext
    ) {
        self.interval = interval
        self.streamsPerSecond = streamsPerSecond
        self.queues = queues
        self.worker = context.periodic(.groupMaintenance, every: interval)
        self.care = UserCare(keeper: keeper, listener: listener, worker: worker)
    }

    package func run() async throws { try await worker.run { try await round() } }

    /// Goes over the streams once, or as far as an interval's share of them reaches.
    private func round() async throws -> Int {
        let seconds = max(1, Int(interval.components.seconds))
        guard try await queues.maySweep(forSeconds: seconds * 2 + 1) else { return 0 }
        var budget = seconds * streamsPerSecond
        var repaired = 0
        var place: SweepPlace? = try await queues.sweepPlace()
        while let here = place, budget > 0 {
            let started = ContinuousClock.now
            let (users, next) = try await queues.sweep(from: here)
            for user in users {
                // A page may take long where Redis is slow, and a pod that stops has little time.
                try Task.checkCancellation()
                guard let report = try await care.keep(user) else { continue }
                repaired += report.removed
                // Entries that another program wrote are unknown to the index that admin lists walk over.
                if let newest = report.newestUnread { try await queues.note(user, newest: newest) }
            }
            budget -= max(users.count, 1)
            place = next
            // What one page may cost at the allowed rate.
            let share = Duration.seconds(Double(users.count) / Double(streamsPerSecond))
            try await Task.sleep(until: started + share, clock: .continuous)
        }
        return repaired
    }
}
