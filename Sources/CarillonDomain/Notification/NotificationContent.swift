package import NIOCore

/// What a notification says, as ready-made JSON members that are spliced into payloads and frames.
///
/// Texts stay in the escaped form in which they came and were validated, so a message is never unescaped and escaped again.
package struct NotificationContent: Sendable {
    /// `"message":…,"created_at":…,"source":…`, without a comma at either end.
    package let common: ByteBuffer
    /// `,"title":…,"type":…` and so on: the members that were given, each with a comma before it.
    package let optional: ByteBuffer

    package init(common: ByteBuffer, optional: ByteBuffer) {
        self.common = common
        self.optional = optional
    }

    /// What is shown of an entry whose payload has expired: no text, and the time of its stream id.
    package static func expired(at id: StreamID) -> NotificationContent {
        var common = ByteBuffer()
        common.writeStaticString("\"message\":\"\",\"created_at\":\"")
        common.writeString(Timestamp(milliseconds: id.milliseconds).text)
        common.writeStaticString("\",\"source\":\"\"")
        return NotificationContent(common: common, optional: ByteBuffer())
    }
}

// MARK: - Payload

extension NotificationContent {
    /// Writes the document that is stored at `notification:{uuid}`.
    package func writePayload(id: NotificationID, target: User, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"notification_id\":\"")
        buffer.writeString(id.text)
        buffer.writeStaticString("\",")
        buffer.writeImmutableBuffer(common)
        buffer.writeStaticString(",\"target\":")
        target.writeJSON(into: &buffer)
        buffer.writeImmutableBuffer(optional)
        buffer.writeStaticString("}")
    }

    /// Reads a stored document, ours or another program's; nil where it is not a JSON object.
    ///
    /// Members of the wrong type are left out rather than refused: the entry is there and its user must see it.
    ///
    /// - Parameter streamID: Where the time is taken from if the document names none.
    package init?(payload: ByteBuffer, streamID: StreamID) {
        let parsed = payload.withUnsafeReadableBytes { Self.scan($0, streamID: streamID) }
        guard let parsed else { return nil }
        self = parsed
    }

    private static func scan(_ bytes: UnsafeRawBufferPointer, streamID: StreamID) -> NotificationContent? {
        var message: Range<Int>?
        var createdAt: Range<Int>?
        var source: Range<Int>?
        var members = [Range<Int>?](repeating: nil, count: OptionalMember.allCases.count)
        var scanner = JSONScanner(bytes)
        do throws(JSONScanner.Malformed) {
            scanner.skipSpace()
            try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
                let value = try scanner.value()
                if value.kind == .string {
                    if scanner.equals(name, "message") {
                        message = value.range
                    } else if scanner.equals(name, "created_at") {
                        createdAt = value.range
                    } else if scanner.equals(name, "source") {
                        source = value.range
                    }
                }
                for (index, member) in OptionalMember.allCases.enumerated()
                where member.kind == value.kind && scanner.equals(name, member.name) {
                    members[index] = value.range
                }
            }
            try scanner.end()
        } catch {
            return nil
        }
        var common = ByteBuffer()
        common.writeStaticString("\"message\":")
        common.write(message.map { bytes[$0] }, orElse: "\"\"")
        common.writeStaticString(",\"created_at\":")
        common.write(createdAt.map { bytes[$0] }, orElse: "\"\(Timestamp(milliseconds: streamID.milliseconds).text)\"")
        common.writeStaticString(",\"source\":")
        common.write(source.map { bytes[$0] }, orElse: "\"\"")
        var optional = ByteBuffer()
        for (member, range) in zip(OptionalMember.allCases, members) {
            if let range { member.write(bytes[range], into: &optional) }
        }
        return NotificationContent(common: common, optional: optional)
    }
}

/// The members that a payload and a push have only where they were given.
package enum OptionalMember: CaseIterable, Sendable {
    case title
    case type
    case channel
    case priority
    case data
    case ttlSeconds
    case collapseKey

    package var name: StaticString {
        switch self {
        case .title: "title"
        case .type: "type"
        case .channel: "channel"
        case .priority: "priority"
        case .data: "data"
        case .ttlSeconds: "ttl_seconds"
        case .collapseKey: "collapse_key"
        }
    }

    package var kind: JSONScanner.Kind {
        switch self {
        case .title, .type, .channel, .priority, .collapseKey: .string
        case .data: .object
        case .ttlSeconds: .number
        }
    }

    func write(_ value: Slice<UnsafeRawBufferPointer>, into buffer: inout ByteBuffer) {
        buffer.writeStaticString(",\"")
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
        buffer.writeBytes(value)
    }
}

extension User {
    /// Writes `{"id":1,"login":"alice"}`.
    package func writeJSON(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"id\":")
        switch id {
        case .number(let number): buffer.writeString(String(number))
        case .text(let text): buffer.writeString(JSON.quoted(text))
        }
        buffer.writeStaticString(",\"login\":\"")
        buffer.writeString(login)
        buffer.writeStaticString("\"}")
    }
}

extension ByteBuffer {
    fileprivate mutating func write(_ bytes: Slice<UnsafeRawBufferPointer>?, orElse text: String) {
        if let bytes { writeBytes(bytes) } else { writeString(text) }
    }
}
