package import CarillonDomain
package import NIOCore

/// What one pod tells another: that something about a user changed.
package enum BusMessage: Sendable {
    /// An entry was added. The payload travels along unless it is large.
    case pushed(UserKey, id: StreamID, predecessor: StreamID?, notificationID: NotificationID, payload: ByteBuffer?)
    case read(UserKey, EntryReference)
    case autoCleared(UserKey, EntryReference)
    /// Something was done in the user's inbox over HTTP.
    case inboxChanged(UserKey, InboxChange)
    /// An entry was added to a topic's stream.
    case published(Topic, id: StreamID, predecessor: StreamID?, notificationID: NotificationID, payload: ByteBuffer?)
    /// A topic's entry was taken back.
    case withdrawn(Topic, InboxAction, EntryReference)
    /// The user's subscriptions are others.
    case subscriptionsChanged(UserKey)
    /// The user read an entry of a topic.
    case topicRead(UserKey, TopicReference)
    /// Something about the user that this version does not know.
    case changed(UserKey)
    /// The sender is new here.
    case joined
    /// The sender is new here, and an earlier process of its name ended without a word, or runs still.
    case restarted
    /// The sender lost its connection: what it meant to say may be missing.
    case resync
    /// A sign of life that a pod sends to itself.
    case probe
}

/// The lines of one bus entry.
///
/// One line per message, words separated by spaces, what may hold spaces last: readable in redis-cli. A raw line feed in a payload
/// is white space between JSON tokens and travels as a space; a name that another program gave and that holds what separates words
/// or lines is not sent, the reader is told to look for itself instead.
///
/// Pods of two versions run side by side during an upgrade. In every version a line that concerns one user names him in its
/// second word, so a reader that does not know the line, or the entry's version, reads that one user again.
package enum BusFormat {
    package static let version = 1
    /// A larger payload is not sent along: the other pod fetches it.
    package static let largestPayloadBytes = 4_096

    package static func write(_ message: BusMessage, into buffer: inout ByteBuffer) {
        switch sendable(message) {
        case .pushed(let user, let id, let predecessor, let notification, let payload):
            buffer.writeString("push \(user.text) ")
            buffer.writeStreamID(id)
            buffer.writeString(predecessor.map { " \($0) " } ?? " ? ")
            buffer.writeString(notification.text)
            if let payload, payload.readableBytes <= largestPayloadBytes {
                buffer.writeStaticString(" ")
                writeLine(payload, into: &buffer)
            }
        case .read(let user, let entry):
            buffer.writeString("read \(user.text) \(entry.streamID) \(entry.notificationID.text)")
        case .autoCleared(let user, let entry):
            buffer.writeString("cleared \(user.text) \(entry.streamID) \(entry.notificationID.text)")
        case .published(let topic, let id, let predecessor, let notification, let payload):
            buffer.writeString("topic @\(topic.name) \(id) \(predecessor.map(\.text) ?? "?") \(notification.text)")
            if let payload, payload.readableBytes <= largestPayloadBytes {
                buffer.writeStaticString(" ")
                writeLine(payload, into: &buffer)
            }
        case .withdrawn(let topic, let action, let entry):
            buffer.writeString(
                "withdrawn @\(topic.name) \(action.rawValue) \(entry.streamID) \(entry.notificationID.text)"
            )
        case .subscriptionsChanged(let user): buffer.writeString("topics \(user.text)")
        case .topicRead(let user, let read):
            let id = read.entry.notificationID.text
            buffer.writeString("topicread \(user.text) @\(read.topic.name) \(read.entry.streamID) \(id)")
        case .inboxChanged(let user, let change): writeChange(change, of: user, into: &buffer)
        case .changed(let user): buffer.writeString("changed \(user.text)")
        case .joined: buffer.writeStaticString("joined")
        case .restarted: buffer.writeStaticString("restarted")
        case .resync: buffer.writeStaticString("resync")
        case .probe: buffer.writeStaticString("probe")
        }
        buffer.writeStaticString("\n")
    }

    /// `inbox` or `topicinbox`, user, action, end of a snooze or `-`, in the second case the topic behind an `@`, and pairs of stream
    /// id and notification id.
    private static func writeChange(_ change: InboxChange, of user: UserKey, into buffer: inout ByteBuffer) {
        let word = change.topic == nil ? "inbox" : "topicinbox"
        buffer.writeString("\(word) \(user.text) \(change.action.rawValue) \(change.until.map(String.init) ?? "-")")
        if let topic = change.topic { buffer.writeString(" @\(topic.name)") }
        for entry in change.entries { buffer.writeString(" \(entry.streamID) \(entry.notificationID.text)") }
    }

    /// The message, or one in its place where a name in it would be read as something else.
    private static func sendable(_ message: BusMessage) -> BusMessage {
        switch message {
        case .pushed(let user, _, _, let id, _):
            !isWord(user.text) ? .resync : isWord(id.text) ? message : .changed(user)
        case .read(let user, let entry), .autoCleared(let user, let entry):
            isWord(user.text) && isLine(entry.notificationID.text) ? message : .resync
        case .published(let topic, _, _, let id, _): isWord("@\(topic.name)") && isWord(id.text) ? message : .resync
        case .withdrawn(let topic, _, let entry):
            isWord("@\(topic.name)") && isWord(entry.notificationID.text) ? message : .resync
        case .inboxChanged(let user, let change):
            sendable(message, of: user, change.entries.map(\.notificationID), in: change.topic)
        case .topicRead(let user, let read): sendable(message, of: user, [read.entry.notificationID], in: read.topic)
        case .subscriptionsChanged(let user), .changed(let user): isWord(user.text) ? message : .resync
        case .joined, .restarted, .resync, .probe: message
        }
    }

    private static func sendable(
        _ message: BusMessage,
        of user: UserKey,
        _ ids: [NotificationID],
        in topic: Topic?
    ) -> BusMessage {
        guard isWord(user.text) else { return .resync }
        return isWord("@\(topic?.name ?? "")") && ids.allSatisfy { isWord($0.text) } ? message : .changed(user)
    }

    private static func isWord(_ text: String) -> Bool { isLine(text) && !text.utf8.contains(UInt8(ascii: " ")) }

    private static func isLine(_ text: String) -> Bool { !text.isEmpty && !text.utf8.contains(UInt8(ascii: "\n")) }

    private static func writeLine(_ payload: ByteBuffer, into buffer: inout ByteBuffer) {
        let lineFeed = UInt8(ascii: "\n")
        guard payload.readableBytesView.contains(lineFeed) else {
            buffer.writeImmutableBuffer(payload)
            return
        }
        buffer.writeBytes(payload.readableBytesView.lazy.map { $0 == lineFeed ? UInt8(ascii: " ") : $0 })
    }

    /// The messages of an entry; nil where a line cannot be understood, and then the reader must look for itself.
    ///
    /// - Parameter version: Of the sender's format; of another one only the users are understood.
    package static func read(_ lines: ByteBuffer, version: Int = version) -> [BusMessage]? {
        var messages: [BusMessage] = []
        var lines = lines
        while let end = lines.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            guard let line = lines.readSlice(length: end - lines.readerIndex),
                let message = message(line, isKnown: version == Self.version)
            else {
                return nil
            }
            lines.moveReaderIndex(forwardBy: 1)
            messages.append(message)
        }
        return lines.readableBytes == 0 ? messages : nil
    }

    private static func message(_ line: ByteBuffer, isKnown: Bool) -> BusMessage? {
        var rest = line
        func word() -> String? {
            guard rest.readableBytes > 0 else { return nil }
            let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: " ")) ?? rest.writerIndex
            let word = rest.readString(length: end - rest.readerIndex)
            if rest.readableBytes > 0 { rest.moveReaderIndex(forwardBy: 1) }
            return word
        }
        func topic() -> Topic? {
            word()?.rest(behind: "@").map { Topic(stored: $0) }
        }
        func pair() -> EntryReference? {
            guard let id = word().flatMap({ StreamID($0) }), let notification = word() else { return nil }
            return EntryReference(streamID: id, notificationID: NotificationID(notification))
        }
        func reference() -> (UserKey, EntryReference)? {
            guard let user = word().flatMap({ UserKey(text: $0) }), let id = word().flatMap({ StreamID($0) }),
                let notification = rest.readString(length: rest.readableBytes), !notification.isEmpty
            else { return nil }
            return (user, EntryReference(streamID: id, notificationID: NotificationID(notification)))
        }
        func entry() -> (id: StreamID, predecessor: StreamID?, notificationID: NotificationID, payload: ByteBuffer?)? {
            guard let id = word().flatMap({ StreamID($0) }), let predecessor = word(), let notification = word() else {
                return nil
            }
            let payload = rest.readableBytes > 0 ? rest : nil
            return (id, StreamID(predecessor), NotificationID(notification), payload)
        }
        let kind = word()
        guard isKnown else { return word().flatMap { UserKey(text: $0) }.map { .changed($0) } }
        switch kind {
        case "push":
            guard let user = word().flatMap({ UserKey(text: $0) }),
                let (id, predecessor, notification, payload) = entry()
            else {
                return nil
            }
            return .pushed(user, id: id, predecessor: predecessor, notificationID: notification, payload: payload)
        case "read": return reference().map { .read($0.0, $0.1) }
        case "cleared": return reference().map { .autoCleared($0.0, $0.1) }
        case "topic":
            guard let topic = topic(), let (id, predecessor, notification, payload) = entry() else { return nil }
            return .published(topic, id: id, predecessor: predecessor, notificationID: notification, payload: payload)
        case "withdrawn":
            guard let topic = topic(), let action = word().flatMap({ InboxAction(rawValue: $0) }), let entry = pair()
            else {
                return nil
            }
            return .withdrawn(topic, action, entry)
        case "topics": return word().flatMap { UserKey(text: $0) }.map { .subscriptionsChanged($0) }
        case "topicread":
            guard let user = word().flatMap({ UserKey(text: $0) }), let topic = topic(), let entry = pair() else {
                return nil
            }
            return .topicRead(user, TopicReference(topic, entry))
        case "inbox", "topicinbox":
            guard let user = word().flatMap({ UserKey(text: $0) }), let name = word(), let until = word() else {
                return nil
            }
            // An action that this version does not know.
            guard let action = InboxAction(rawValue: name) else { return .changed(user) }
            let ofTopic = kind == "inbox" ? nil : topic()
            if kind == "topicinbox", ofTopic == nil { return nil }
            var entries: [EntryReference] = []
            while rest.readableBytes > 0 {
                guard let entry = pair() else { return nil }
                entries.append(entry)
            }
            return .inboxChanged(user, InboxChange(action, entries, of: ofTopic, until: UInt64(until)))
        case "joined": return .joined
        case "restarted": return .restarted
        case "resync": return .resync
        case "probe": return .probe
        default: return word().flatMap { UserKey(text: $0) }.map { .changed($0) }
        }
    }
}
