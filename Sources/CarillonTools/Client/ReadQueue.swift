internal import NIOCore

/// The pushes that are to be reported as read, from the push to the server's ack.
///
/// What is not acknowledged when a connection ends is sent again on the next one: `notification.read` is idempotent.
struct ReadQueue {
    struct Item: Hashable {
        let notificationID: String
        let streamID: String

        var json: String {
            "{\"notification_id\":\(JSONValue.quoted(notificationID)),\"stream_id\":\(JSONValue.quoted(streamID))}"
        }
    }

    /// The most that one frame may name.
    static let perFrame = 100

    private var waiting: CircularBuffer<(item: Item, due: NIODeadline)> = []
    private var sent: CircularBuffer<Item> = []
    private var known: Set<String> = []

    var isEmpty: Bool { known.isEmpty }

    /// When the next one is due.
    var nextDue: NIODeadline? { waiting.first?.due }

    /// Items come in the order of their due times.
    mutating func add(_ item: Item, due: NIODeadline) {
        guard known.insert(item.notificationID).inserted else { return }
        waiting.append((item, due))
    }

    /// What is due now, for one frame; it counts as sent.
    mutating func takeDue(_ now: NIODeadline) -> [Item] {
        var items: [Item] = []
        while items.count < Self.perFrame, let first = waiting.first, first.due <= now {
            items.append(waiting.removeFirst().item)
        }
        sent.append(contentsOf: items)
        return items
    }

    /// It is read, gone or unknown: nothing more to report.
    mutating func settle(_ notificationID: String) {
        guard known.remove(notificationID) != nil else { return }
        if let index = sent.firstIndex(where: { $0.notificationID == notificationID }) {
            sent.remove(at: index)
        } else {
            waiting.removeAll { $0.item.notificationID == notificationID }
        }
    }

    /// The server refused one without saying which: it answers in order, so the oldest.
    mutating func settleOldest() {
        if let item = sent.popFirst() { known.remove(item.notificationID) }
    }

    mutating func connectionLost(_ now: NIODeadline) {
        while let item = sent.popLast() { waiting.prepend((item, now)) }
    }

    mutating func removeAll() { self = ReadQueue() }
}
