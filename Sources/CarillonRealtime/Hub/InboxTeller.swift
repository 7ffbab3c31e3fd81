import CarillonDomain
import NIOCore

/// Tells a user's devices on this pod what changed in his inbox, each time with the number of unread ones.
///
/// The number is made anew from stream and state, after the change was heard of. One count of a user is under way at a time, so the
/// last one that a device is told was made after the last change that this pod knows.
///
/// - Isolation: the event loop
final class InboxTeller {
    private unowned let hub: Hub
    /// Nil once its last device has left; counts and timers may still be under way then.
    private weak var inbox: Inbox?
    /// Changes that are told with the next count, and those that the count under way is for.
    private var waiting: [InboxChange] = []
    private var counted: [InboxChange] = []
    private var isCounting = false
    private var isScheduled = false
    private var lastTold = NIODeadline.uptimeNanoseconds(0)

    /// Between two counts that nothing but pushes and reads called for.
    private static let rest = TimeAmount.milliseconds(250)
    /// Pushes and reads of the same moment are one count.
    private static let gathering = TimeAmount.milliseconds(10)
    /// Changes that may wait for a count. Where more come meanwhile, which takes a thousand calls within a round trip, the rest is told
    /// by the count alone.
    private static let kept = 1_000

    init(hub: Hub, inbox: Inbox) {
        self.hub = hub
        self.inbox = inbox
    }

    /// Something was done that every device hears of.
    func tell(_ change: InboxChange) {
        if waiting.count < Self.kept { waiting.append(change) }
        count()
    }

    /// The number may be another one: for devices that asked to be told of it.
    func countMayHaveChanged() {
        guard !isScheduled else { return }
        isScheduled = true
        let moment = max(NIODeadline.now() + Self.gathering, lastTold + Self.rest)
        hub.eventLoop.assumeIsolated().scheduleTask(deadline: moment) {
            self.isScheduled = false
            self.tell(InboxChange(.count, []))
        }
    }

    /// Redis is back: what could not be counted is.
    func retry() { if !waiting.isEmpty { count() } }

    private func count() {
        guard !isCounting, let inbox else { return }
        isCounting = true
        (counted, waiting) = (waiting, [])
        hub.countUnread(of: inbox.key) { [self] count in
            isCounting = false
            guard let count else { return waiting.insert(contentsOf: counted, at: 0) }
            lastTold = .now()
            for change in counted { self.inbox?.tellChange(change, unreadCount: count) }
            if !waiting.isEmpty { self.count() }
        }
    }
}

@available(*, unavailable)
extension InboxTeller: Sendable {}
