import CarillonDomain
import CarillonStore
import NIOCore

/// What is to be written down of a user's notifications.
struct PendingReceipts {
    var events: [ReceiptEvent] = []
    /// The pushes that go on, and whether they went on since they were last written down.
    var run: DeliveryRun?
    var isRunNew = false
    /// He stands in the queue.
    var isQueued = false
}

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
        inbox.receipts.events.append(event)
        enqueue(inbox)
    }

    /// An entry was pushed to so many devices. What follows it to as many is the same run, which grows by a number.
    func pushed(_ id: StreamID, devices: Int, at time: UInt64, of inbox: Inbox) {
        if inbox.receipts.run?.devices == devices {
            inbox.receipts.run?.last = id
        } else {
            endRun(of: inbox)
            inbox.receipts.run = DeliveryRun(first: id, devices: devices, at: time)
        }
        inbox.receipts.isRunNew = true
        enqueue(inbox)
    }

    /// Other devices are there from now on, or entries may pass that nobody is given.
    func endRun(of inbox: Inbox) {
        if let run = inbox.receipts.run, inbox.receipts.isRunNew { inbox.receipts.events.append(.pushed(run)) }
        inbox.receipts.run = nil
        inbox.receipts.isRunNew = false
    }

    private func enqueue(_ inbox: Inbox) {
        guard !inbox.receipts.isQueued else { return }
        inbox.receipts.isQueued = true
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
        var events = inbox.receipts.events
        if let run = inbox.receipts.run, inbox.receipts.isRunNew { events.append(.pushed(run)) }
        inbox.receipts.events = []
        inbox.receipts.isRunNew = false
        inbox.receipts.isQueued = false
        store.writeReceipts(events, of: inbox.key)
    }
}

@available(*, unavailable)
extension ReceiptKeeper: Sendable {}
