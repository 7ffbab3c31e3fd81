import CarillonDomain
import CarillonStore
import NIOCore

/// What other pods, or whoever writes their keys, say on the bus.
///
/// - What is understood and written again is understood, as the same number of messages.
/// - From then on nothing changes any more: written, read and written, it is the same.
/// - A later version's entries cost a look at their users or are not understood.
/// - A message is one line whatever the names in it, which may be those of other programs; it is understood as what it was, or it
///   makes the reader look for itself.
enum BusEntries {
    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        let lines = ByteBuffer(bytes: bytes)
        if let messages = BusFormat.read(lines) {
            let first = written(messages)
            guard let again = BusFormat.read(first) else { throw Finding("\(shown(first)) is not understood") }
            try require(again.count == messages.count, "\(messages) are understood as \(again)")
            let second = written(again)
            try require(second == first, "\(shown(first)) becomes \(shown(second))")
        }
        for message in BusFormat.read(lines, version: BusFormat.version + 1) ?? [] {
            guard case .changed = message else { throw Finding("\(message) of a later version") }
        }
        try checkNames(String(decoding: bytes.prefix(128), as: UTF8.self))
    }

    // MARK: - Names

    private static let alice = User(id: .number(1), login: "alice").key
    private static let id = StreamID(milliseconds: 7, sequence: 1)

    private static func checkNames(_ text: String) throws {
        let entry = EntryReference(streamID: id, notificationID: NotificationID(text))
        let topic = Topic(stored: text)
        let payload = ByteBuffer(string: "{}")
        var messages: [BusMessage] = [
            .pushed(alice, id: id, predecessor: nil, notificationID: entry.notificationID, payload: payload),
            .read(alice, entry), .autoCleared(alice, entry), .inboxChanged(alice, InboxChange(.read, [entry])),
            .published(.everybody, id: id, predecessor: nil, notificationID: entry.notificationID, payload: nil),
            .published(topic, id: id, predecessor: .zero, notificationID: NotificationID("n"), payload: payload),
            .withdrawn(topic, .withdraw, entry), .topicRead(alice, TopicReference(topic, entry)),
            .inboxChanged(alice, InboxChange(.seen, [entry], of: topic)),
        ]
        if let user = UserKey(text: text) {
            messages += [.changed(user), .subscriptionsChanged(user), .read(user, entry), .autoCleared(user, entry)]
        }
        for message in messages {
            let line = written([message])
            guard let read = BusFormat.read(line), read.count == 1 else {
                throw Finding("\(message) is written as \(shown(line))")
            }
            try require(isSame(read[0], message), "\(message) is read as \(read[0])")
        }
    }

    /// Whether a message arrived as it was sent, or as one that makes the reader look.
    private static func isSame(_ read: BusMessage, _ sent: BusMessage) -> Bool {
        switch read {
        case .resync: return true
        case .changed(let user): if user == alice { return true }
        default: break
        }
        return facts(read) == facts(sent)
    }

    /// What a message says, byte by byte.
    private static func facts(_ message: BusMessage) -> [[UInt8]] {
        switch message {
        case .pushed(let user, _, _, let id, let payload): bytes("push", user.text, id.text, text(payload))
        case .read(let user, let entry): bytes("read", user.text, entry.notificationID.text)
        case .autoCleared(let user, let entry): bytes("cleared", user.text, entry.notificationID.text)
        case .inboxChanged(let user, let change):
            bytes("inbox", user.text, "\(change.action)", change.topic?.name ?? "-")
                + change.entries.map { Array($0.notificationID.text.utf8) }
        case .published(let topic, _, _, let id, let payload): bytes("topic", topic.name, id.text, text(payload))
        case .withdrawn(let topic, let action, let entry):
            bytes("withdrawn", topic.name, "\(action)", entry.notificationID.text)
        case .subscriptionsChanged(let user): bytes("topics", user.text)
        case .topicRead(let user, let read):
            bytes("topicread", user.text, read.topic.name, read.entry.notificationID.text)
        case .changed(let user): bytes("changed", user.text)
        case .joined, .restarted, .resync, .probe: bytes("\(message)")
        }
    }

    private static func bytes(_ words: String...) -> [[UInt8]] { words.map { Array($0.utf8) } }

    private static func text(_ payload: ByteBuffer?) -> String { payload.map { String(buffer: $0) } ?? "-" }

    private static func written(_ messages: [BusMessage]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for message in messages { BusFormat.write(message, into: &buffer) }
        return buffer
    }

    private static func shown(_ bytes: ByteBuffer) -> String { String(buffer: bytes).debugDescription }
}
