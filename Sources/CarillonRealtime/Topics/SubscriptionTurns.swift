import CarillonDomain

/// Changes of a user's subscriptions, one after the other: a subscription asks Redis twice, and must not
/// fall behind what was asked for later.
///
/// - Isolation: the event loop
final class SubscriptionTurns {
    /// Does its work, and calls when Redis has answered.
    typealias Change = (_ isDone: @escaping () -> Void) -> Void

    /// Those that wait for the one under way; no entry where none is.
    private var waiting: [UserKey: ArraySlice<Change>] = [:]

    func take(_ user: UserKey, _ change: @escaping Change) {
        guard waiting[user] == nil else {
            waiting[user]?.append(change)
            return
        }
        waiting[user] = []
        begin(change, of: user)
    }

    private func begin(_ change: Change, of user: UserKey) {
        change { [self] in
            guard let next = waiting[user]?.popFirst() else {
                waiting[user] = nil
                return
            }
            begin(next, of: user)
        }
    }
}
