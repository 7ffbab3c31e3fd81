import CarillonDomain
import CarillonStore
import Synchronization

/// Rounds over a queue of users that pods share: pops some and brings them in order, many at once, until the queue is empty.
///
/// Who was popped is kept here until he is done, so that a Redis that goes away in the middle costs a round and nobody's turn. A
/// user whom Redis refuses to work on must not hold up the others: he is let go, one a round, since a Redis that refuses
/// everything refuses all of them. Him, and whom a pod popped that died, the sweep finds. A pod that stops pops nobody more, and
/// brings in order whom it has popped.
///
/// - Isolation: any task, one round at a time
final class UserQueueRounds: Sendable {
    /// Hears what keeping a user came to.
    typealias Kept = @Sendable (UserKey, KeepingReport) async throws(StoreError) -> Void

    /// What one user's turn came to: how much was removed.
    private struct Turn {
        let user: UserKey
        let result: Result<Int, StoreError>
    }

    private let care: UserCare
    private let atOnce: Int
    private let look: @Sendable () async throws(StoreError) -> DueUsers
    /// Whose turn is to come; the last one is next.
    private let popped = Mutex<[UserKey]>([])

    /// Users that are kept at the same time. Each waits for some seven answers one after the other, so one at a time leaves Redis
    /// and the pod idle between them; the commands of so many share the writes of one connection. More of them do little for
    /// the rate, and make notifications wait behind longer writes.
    static let usersAtOnce = 32

    /// - Parameter look: Finds who is due, once a round.
    init(
        care: UserCare,
        atOnce: Int = usersAtOnce,
        look: @escaping @Sendable () async throws(StoreError) -> DueUsers
    ) {
        self.care = care
        self.atOnce = atOnce
        self.look = look
    }

    /// - Returns: How much was removed.
    /// - Throws: The first error, once nobody is being kept any more.
    func round(kept: @escaping Kept = { _, _ in }) async throws(StoreError) -> Int {
        let (removed, failure) = await withTaskGroup(of: Turn.self) { group in
            var removed = 0
            var failure: StoreError?
            var hasLetGo = false
            func ended(_ turn: Turn) {
                switch turn.result {
                case .success(let count): removed += count
                case .failure(let error):
                    failure = failure ?? error
                    if error.code == .refused, !hasLetGo {
                        hasLetGo = true
                    } else {
                        popped.withLock { $0.append(turn.user) }
                    }
                }
            }

            var due: DueUsers?
            var underWay = 0
            do throws(StoreError) {
                while failure == nil, let user = try await next(&due) {
                    group.addTask { await self.turn(of: user, kept) }
                    underWay += 1
                    guard underWay == atOnce, let turn = await group.next() else { continue }
                    underWay -= 1
                    ended(turn)
                }
            } catch {
                failure = error
            }
            for await turn in group { ended(turn) }
            return (removed, failure)
        }
        if let failure { throw failure }
        return removed
    }

    private func turn(of user: UserKey, _ kept: Kept) async -> Turn {
        do throws(StoreError) {
            guard let report = try await care.keep(user) else { return Turn(user: user, result: .success(0)) }
            try await kept(user, report)
            return Turn(user: user, result: .success(report.removed))
        } catch {
            return Turn(user: user, result: .failure(error))
        }
    }

    /// The user whose turn it is; nil where nobody is left.
    private func next(_ due: inout DueUsers?) async throws(StoreError) -> UserKey? {
        if let user = popped.withLock({ $0.popLast() }) { return user }
        guard !Task.isCancelled else { return nil }
        var users = if let due { due } else { try await look() }
        defer { due = users }
        let more = try await users.pop()
        return popped.withLock {
            $0 = more
            return $0.popLast()
        }
    }
}
