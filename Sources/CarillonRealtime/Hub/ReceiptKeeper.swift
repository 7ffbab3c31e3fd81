import CarillonDomain
import CarillonStore
import NIOCore

/// Writes down what became of notifications, behind everything else: to how many devices each was given, and when it was read.
///
/// Nobody waits for it but a sender who asks. So it is done within 10 ms while there is little to do, and spread over some two
/// seconds where thousands of users wait: what a user has gathered meanwhile is one command.
///
/// - Isolation: the event loop
final class ReceiptKeeper {
    private let eventLoop: any EventLoop
    private let store: InboxStore
    private var queue = UpkeepQueue<Inbox>(batch: 32, portions: 1_000)
    private var isScheduled = false

    private static let window = TimeAmount.milliseconds(10)
    private static let pause = TimeAmount.milliseconds(2)

    init(eventLoop: any EventLoop, store: InboxStore) {
        self.eventLoop = eventLoop
        self.store = store
    }

    func note(_ event: ReceiptEvent, for inbox: Inbox) {
        inbox.receipts.append(event)
        guard inbox.receipts.count == 1 else { return }
        queue.append(inbox)
        schedule(in: Self.window)
    }

    private func schedule(in delay: TimeAmount) {
        guard !isScheduled else { return }
        isScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.isScheduled = false
            self.queue.next().forEach(self.write)
            if self.queue.count > 0 { self.schedule(in: Self.pause) }
        }
    }

    /// Writes everything that waits.
    func flush() { queue.all().forEach(write) }

    private func write(_ inbox: Inbox) {
        let events = inbox.receipts
        inbox.receipts = []
        store.writeReceipts(events, of: inbox.key)
    }
}

@available(*, unavailable)
extension ReceiptKeeper: Sendable {}
