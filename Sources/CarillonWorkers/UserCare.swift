package import CarillonDomain
import CarillonMetrics
import CarillonStore

/// Tells the devices of a user that entries were cleared; the hub does.
package protocol ClearingListener: Sendable {
    /// Entries that had expired unread were removed by this pod, which counts and tells them.
    func cleared(_ entries: [EntryReference], of user: UserKey) async
}

/// Brings users in order, for the workers that differ in how they find them.
///
/// - Isolation: any task
struct UserCare: Sendable {
    let keeper: UserKeeper
    let listener: any ClearingListener
    let worker: PeriodicWorker

    /// Keeps one user in order and has his devices told of what was cleared.
    ///
    /// - Returns: nil where Redis refuses to work on his keys, because another program wrote a value of another type: that is
    ///   his trouble alone, and the round goes on without him.
    /// - Throws: where Redis is away, and nobody else can be kept either.
    func keep(_ user: UserKey) async throws(StoreError) -> KeepingReport? {
        do throws(StoreError) {
            let report = try await keeper.keep(user)
            if !report.cleared.isEmpty { await listener.cleared(report.cleared, of: user) }
            return report
        } catch {
            guard error.isWrongType else { throw error }
            worker.passedOver(user, error)
            return nil
        }
    }
}
