package import CarillonDomain
package import NIOCore

/// Somebody who is no device, and waits until something happens to a user's inbox: on whatever pod, for the watch stands in the hub as
/// a device does, and so in presence.
///
/// It begins before its owner looks at the inbox. Redis then carries out presence first and the look after it, so a change is either
/// seen by the look, or told to this pod, and the watch remembers it until it is asked.
///
/// - Isolation: the event loop
package final class InboxWatch {
    /// The user that it watches; nil once it has ended.
    private var inbox: Inbox?
    private unowned let hub: Hub
    private var hasChanged = false
    private var waiting: ((Bool) -> Void)?
    private var timer: Scheduled<Void>?

    init(_ inbox: Inbox?, hub: Hub) {
        self.inbox = inbox
        self.hub = hub
    }

    /// Calls back with true when something has happened since the watch began, or since it last said so; with false when `time` has
    /// passed or the watch has ended, at once where it has already. One question at a time.
    package func next(within time: TimeAmount, _ completion: @escaping (Bool) -> Void) {
        precondition(waiting == nil, "two ask one watch")
        guard inbox != nil, !hasChanged else {
            defer { hasChanged = false }
            return completion(hasChanged)
        }
        waiting = completion
        timer = hub.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in answer(false) }
    }

    /// Something happened.
    func changed() {
        if waiting == nil { hasChanged = true } else { answer(true) }
    }

    /// Waits no longer. The owner's duty, however it ends.
    package func end() {
        guard let inbox else { return }
        self.inbox = nil
        answer(false)
        hub.left(self, inbox)
    }

    private func answer(_ hasChanged: Bool) {
        timer?.cancel()
        timer = nil
        let completion = waiting
        waiting = nil
        completion?(hasChanged)
    }
}

@available(*, unavailable)
extension InboxWatch: Sendable {}

extension Hub {
    /// Watches the user's inbox. Where the pod is stopping, the watch has ended already.
    ///
    /// - Returns: Nil where too many wait.
    package func watch(_ user: UserKey) -> InboxWatch? {
        guard !isDraining else { return InboxWatch(nil, hub: self) }
        guard watchCount < Limits.inboxWatches else { return nil }
        let inbox = open(user)
        let watch = InboxWatch(inbox, hub: self)
        inbox.watches.append(watch)
        watchCount += 1
        return watch
    }

    fileprivate func left(_ watch: InboxWatch, _ inbox: Inbox) {
        inbox.watches.removeAll { $0 === watch }
        watchCount -= 1
        closeIfUnused(inbox)
    }

    /// All that wait are answered at once.
    func endWatches() {
        for watch in inboxes.values.flatMap(\.watches) { watch.end() }
    }
}
