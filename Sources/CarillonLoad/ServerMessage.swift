package import CarillonDomain
package import NIOCore

/// A text message of the server, as far as a load driver looks into it.
///
/// The message is read as JSON from its first byte to its last, so that text that looks like a member cannot deceive, and
/// so that a server that writes broken JSON is found out.
/// - Source: docs/PROTOCOL.md, "Server to client"
package enum ServerMessage {
    case push(LoadPush)
    case readAck(LoadEntry)
    case autoCleared(LoadEntry)
    case ready(LoadReady)
    case subscribed(Set<Topic>)
    case error(LoadErrorFrame)
    /// A type that load drivers do not ask for.
    case other

    /// - Throws: `LoadError` where this is not what the protocol says.
    package init(_ text: ByteBuffer) throws(LoadError) {
        let result = text.withUnsafeReadableBytes { bytes -> Result<ServerMessage, LoadError> in
            do throws(JSONScanner.Malformed) {
                return Self.message(try Members(bytes), bytes, text)
            } catch {
                return .failure(LoadError("a message is not JSON: \(error.reason) at byte \(error.offset)"))
            }
        }
        self = try result.get()
    }

    private static func message(
        _ members: Members,
        _ bytes: UnsafeRawBufferPointer,
        _ text: ByteBuffer
    ) -> Result<ServerMessage, LoadError> {
        let scanner = JSONScanner(bytes)
        guard let type = members.type else { return .failure(LoadError("a message has no type")) }
        if scanner.equals(type, "notification.push") {
            guard let entry = members.entry(bytes), let message = members.message, let status = members.status,
                let status = PushStatus(scanner, status),
                let slice = text.getSlice(at: text.readerIndex + message.range.lowerBound, length: message.range.count)
            else {
                return .failure(LoadError("a push lacks a member"))
            }
            return .success(.push(LoadPush(entry: entry, message: slice, status: status)))
        }
        if scanner.equals(type, "notification.read.ack") {
            guard let entry = members.entry(bytes) else { return .failure(LoadError("a read ack lacks a member")) }
            return .success(.readAck(entry))
        }
        if scanner.equals(type, "notification.auto_cleared") {
            guard let entry = members.entry(bytes) else { return .failure(LoadError("a clearing lacks a member")) }
            return .success(.autoCleared(entry))
        }
        if scanner.equals(type, "session.ready") {
            guard let count = members.unreadCount.flatMap({ scanner.natural($0) }), let epoch = members.epoch,
                let last = members.lastStreamID.flatMap({ StreamID(bytes: .init(rebasing: bytes[$0.range])) })
            else {
                return .failure(LoadError("session.ready lacks a member"))
            }
            return .success(
                .ready(
                    LoadReady(
                        unreadCount: Int(count),
                        lastStreamID: last,
                        topics: members.topics,
                        epoch: scanner.string(epoch)
                    )
                )
            )
        }
        if scanner.equals(type, "subscribe.ack") {
            guard let channels = members.channels else { return .failure(LoadError("a subscribe.ack has no channels")) }
            return .success(.subscribed(channels))
        }
        if scanner.equals(type, "error") {
            guard let code = members.code else { return .failure(LoadError("an error has no code")) }
            let detail = members.detail.map { scanner.string($0) } ?? ""
            let frame = LoadErrorFrame(code: scanner.string(code), detail: detail, entry: members.entry(bytes))
            return .success(.error(frame))
        }
        return .success(.other)
    }
}

/// The members of a message and of its `data` that mean something here.
private struct Members {
    var type: JSONScanner.Text?
    var notificationID: JSONScanner.Text?
    var streamID: JSONScanner.Text?
    var message: JSONScanner.Text?
    var status: JSONScanner.Text?
    var unreadCount: Range<Int>?
    var lastStreamID: JSONScanner.Text?
    var epoch: JSONScanner.Text?
    var code: JSONScanner.Text?
    var detail: JSONScanner.Text?
    var topics: [Topic: StreamID] = [:]
    var channels: Set<Topic>?

    init(_ bytes: UnsafeRawBufferPointer) throws(JSONScanner.Malformed) {
        var scanner = JSONScanner(bytes)
        var members = Members()
        try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
            if scanner.equals(name, "data"), scanner.peek() == UInt8(ascii: "{") {
                try members.readData(&scanner)
            } else {
                let value = try scanner.value()
                if scanner.equals(name, "type") { members.type = value.text }
            }
        }
        try scanner.end()
        self = members
    }

    private init() {}

    private mutating func readData(_ scanner: inout JSONScanner) throws(JSONScanner.Malformed) {
        var members = self
        try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
            if scanner.equals(name, "topics") { return try members.readTopics(&scanner) }
            if scanner.equals(name, "channels") { return try members.readChannels(&scanner) }
            let value = try scanner.value()
            if scanner.equals(name, "notification_id") {
                members.notificationID = value.text
            } else if scanner.equals(name, "stream_id") {
                members.streamID = value.text
            } else if scanner.equals(name, "message") {
                members.message = value.text
            } else if scanner.equals(name, "status") {
                members.status = value.text
            } else if scanner.equals(name, "unread_count") {
                members.unreadCount = value.range
            } else if scanner.equals(name, "last_stream_id") {
                members.lastStreamID = value.text
            } else if scanner.equals(name, "epoch") {
                members.epoch = value.text
            } else if scanner.equals(name, "code") {
                members.code = value.text
            } else if scanner.equals(name, "detail") {
                members.detail = value.text
            }
        }
        self = members
    }

    private mutating func readTopics(_ scanner: inout JSONScanner) throws(JSONScanner.Malformed) {
        var topics: [Topic: StreamID] = [:]
        try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
            guard let text = try scanner.value().text, let id = StreamID(scanner.string(text)) else { return }
            topics[Topic(stored: scanner.string(name))] = id
        }
        self.topics = topics
    }

    private mutating func readChannels(_ scanner: inout JSONScanner) throws(JSONScanner.Malformed) {
        var channels: Set<Topic> = []
        try scanner.array { (scanner, _) throws(JSONScanner.Malformed) in
            guard let text = try scanner.value().text else { return }
            channels.insert(Topic(stored: scanner.string(text)))
        }
        self.channels = channels
    }

    func entry(_ bytes: UnsafeRawBufferPointer) -> LoadEntry? {
        guard let notificationID, let streamID,
            let id = LoadUUID(bytes: UnsafeRawBufferPointer(rebasing: bytes[notificationID.range]))
        else { return nil }
        if let stream = StreamID(bytes: UnsafeRawBufferPointer(rebasing: bytes[streamID.range])) {
            return LoadEntry(id: id, streamID: stream)
        }
        guard let place = EntryPlace(JSONScanner(bytes).string(streamID)) else { return nil }
        return LoadEntry(id: id, streamID: place.streamID, topic: place.topic)
    }
}

extension PushStatus {
    fileprivate init?(_ scanner: JSONScanner, _ text: JSONScanner.Text) {
        if scanner.equals(text, "unread") {
            self = .unread
        } else if scanner.equals(text, "read") {
            self = .read
        } else if scanner.equals(text, "auto_cleared") {
            self = .autoCleared
        } else {
            return nil
        }
    }
}
