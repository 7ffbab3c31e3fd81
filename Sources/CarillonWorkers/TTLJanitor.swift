package import CarillonDomain
import CarillonMetrics
package import CarillonStore
import ServiceLifecycle

/// Tells the devices of a user that entries were cleared; the hub does.
package protocol ClearingListener: Sendable {
    /// Entries that had expired unread were removed by this pod, which counts and tells them.
    func cleared(_ entries: [EntryReference], of user: UserKey) async
}

/// Cleans up behind payloads that have expired: read entries go at once, unread ones when somebody is online to be told.
///
/// Its cost follows what expired: users stand in a set per ten seconds of the clock, from which pods pop them.
package struct TTLJanitor: Service {
    private let keeper: UserKeeper
    private let queues: UserQueues
    private let listener: any ClearingListener
    private let worker: PeriodicWorker

    package init(
        interval: Duration,
        keeper: UserKeeper,
        queues: UserQueues,
        listener: any ClearingListener,
        context: WorkerContext
    ) {
        self.keeper = keeper
        self.queues = queues
        self.listener = listener
        self.worker = context.periodic(.ttlJanitor, every: interval)
    }

    package func run() async throws { try await worker.run { try await round() } }

    private func round() async throws -> Int {
        var removed = 0
        while case let users = try await queues.popExpired(), !users.isEmpty {
            for user in users { removed += try await keep(user, keeper, listener).removed }
        }
        return removed
    }
}

/// Keeps one user in order and has his devices told of what was cleared.
@discardableResult
func keep(
    _ user: UserKey,
    _ keeper: UserKeeper,
    _ listener: any ClearingListener
) async throws(StoreError) -> KeepingReport {
    let report = try await keeper.keep(user)
    if !report.cleared.isEmpty { await listener.cleared(report.cleared, of: user) }
    return report
}
