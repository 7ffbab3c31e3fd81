import CarillonDomain
import CarillonStore
import Synchronization

/// Rounds over a queue of users that pods share: pops some and brings each in order, until the queue is empty.
///
/// Who was popped is kept here until he is done, so that a Redis that goes away in the middle costs a round and nobody's turn. A
/// user whom Redis refuses to work on must not hold up the others: he is let go. Him, and whom a pod popped that died or stopped,
/// the sweep finds.
///
/// - Isolation: any task, one round at a time
final class UserQueueRounds: Sendable {
    private let care: UserCare
    private let pop: @Sendable () async throws(StoreError) -> [UserKey]
    private let popped = Mutex<[UserKey]>([])

    init(care: UserCare, pop: @escaping @Sendable () async throws(StoreError) -> [UserKey]) {
        self.care = care
        self.pop = pop
    }

    /// A pod that stops ends the round behind the user it is at: the queue may hold more than there is time for.
    ///
    /// - Parameter kept: Hears what keeping each user came to.
    /// - Returns: How much was removed.
    func round(
        kept: (UserKey, KeepingReport) async throws(StoreError) -> Void = { _, _ in }
    ) async throws(StoreError) -> Int {
        var removed = 0
        while !Task.isCancelled, let user = try await next() {
            do throws(StoreError) {
                if let report = try await care.keep(user) {
                    removed += report.removed
                    try await kept(user, report)
                }
            } catch {
                if error.code == .refused { letGo() }
                throw error
            }
            letGo()
        }
        return removed
    }

    private func letGo() { popped.withLock { _ = $0.popLast() } }

    /// The user whose turn it is; nil where the queue is empty.
    private func next() async throws(StoreError) -> UserKey? {
        if let user = popped.withLock({ $0.last }) { return user }
        let users = try await pop()
        popped.withLock { $0 = users }
        return users.last
    }
}
