package import NIOCore

/// What devices of the subprotocol `notifications.v1+json` hear: `notification`, `notificationStatus` and `error`.
///
/// Each is made of a frame that `ServerFrame` wrote, with its texts as they stand there, still escaped.
package struct NotificationsV1 {
    private let scanner: JSONScanner
    private let now: Timestamp

    /// How a notification stands, as `notificationStatus` names it.
    private enum Status: String {
        case delivered
        case read
        /// It expired unread.
        case autoCleared = "auto_cleared"
        /// The user removed it.
        case deleted
        /// The sender took it back, or replaced it.
        case withdrawn
    }

    /// - Parameters:
    ///   - frame: `{"type": …, "data": …}` as `ServerFrame` writes it.
    ///   - now: When devices hear it.
    /// - Returns: The frames that say the same, none where there is no word for it.
    package static func frames(for frame: UnsafeRawBufferPointer, at now: Timestamp) -> [ByteBuffer] {
        NotificationsV1(scanner: JSONScanner(frame), now: now).translated()
    }

    private init(scanner: JSONScanner, now: Timestamp) {
        self.scanner = scanner
        self.now = now
    }

    private func translated() -> [ByteBuffer] {
        let whole = scanner.members(of: 0..<scanner.bytes.count, ["type", "data"])
        guard let type = whole[0]?.text, let data = whole[1], data.kind == .object else { return [] }
        return switch scanner.string(type) {
        case "notification.push": push(data)
        case "notification.read.ack": [status(.read, of: data)]
        case "notification.auto_cleared": [status(.autoCleared, of: data)]
        case "inbox.changed": change(data)
        case "error": [error(data)]
        default: []
        }
    }

    /// What expired before this device was given it is nothing that could be shown.
    private func push(_ data: JSONScanner.Value) -> [ByteBuffer] {
        switch text(scanner.members(of: data.range, ["status"])[0]) {
        case "read": [notification(data), status(.read, of: data)]
        case "auto_cleared": [status(.autoCleared, of: data)]
        default: [notification(data), status(.delivered, of: data)]
        }
    }

    /// A read is told as an ack too, and of the other marks there is no word.
    private func change(_ data: JSONScanner.Value) -> [ByteBuffer] {
        let members = scanner.members(of: data.range, ["action", "notifications"])
        let changed: Status
        switch text(members[0]).flatMap(InboxAction.init) {
        case .unread?: changed = .delivered
        case .delete?: changed = .deleted
        case .withdraw?, .collapse?: changed = .withdrawn
        case .read?, .seen?, .archive?, .unarchive?, .snooze?, .unsnooze?, .count?, nil: return []
        }
        guard let entries = members[1] else { return [] }
        return scanner.elements(of: entries.range).map { status(changed, of: $0) }
    }

    // MARK: - Writing

    private func notification(_ data: JSONScanner.Value) -> ByteBuffer {
        let members = scanner.members(
            of: data.range,
            ["notification_id", "type", "title", "message", "channel", "priority", "data", "created_at", "stream_id"]
        )
        let place = text(members[8]).flatMap { EntryPlace($0) }
        return write(type: "notification") { frame in
            frame.write("\"id\":", members[0], from: scanner)
            frame.write(",\"type\":", members[1], from: scanner)
            frame.write(",\"title\":", members[2], from: scanner)
            frame.write(",\"message\":", members[3], from: scanner)
            frame.write(",\"channel\":", members[4], orElse: Self.channel(of: place), from: scanner)
            frame.write(",\"priority\":", members[5], orElse: "\"medium\"", from: scanner)
            frame.writeString(",\"timestamp\":\"\(Self.time(createdAt: text(members[7]), of: place).text)\"")
            frame.write(",\"data\":", members[6], from: scanner)
        }
    }

    /// Entries that other programs wrote into a channel may not name it.
    private static func channel(of place: EntryPlace?) -> String {
        guard let topic = place?.topic, topic != .everybody else { return "null" }
        return JSON.quoted(topic.name)
    }

    /// When it was created, but never later than it was stored: a client may ask for what came since, and nothing must be lost to a
    /// sender's wrong clock.
    private static func time(createdAt: String?, of place: EntryPlace?) -> Timestamp {
        let stored = place?.streamID.milliseconds ?? 0
        guard let created = createdAt.flatMap({ Timestamp(rfc3339: $0) }), created.milliseconds <= stored else {
            return Timestamp(milliseconds: stored)
        }
        return created
    }

    private func status(_ status: Status, of entry: JSONScanner.Value) -> ByteBuffer {
        let id = scanner.members(of: entry.range, ["notification_id"])[0]
        return write(type: "notificationStatus") { frame in
            frame.write("\"notificationId\":", id, from: scanner)
            frame.writeString(",\"status\":\"\(status.rawValue)\",\"timestamp\":\"\(now.text)\"")
        }
    }

    /// What names an entry was the answer to an `ack`, whose stream id was found here.
    private func error(_ data: JSONScanner.Value) -> ByteBuffer {
        let members = scanner.members(of: data.range, ["code", "detail", "type", "notification_id"])
        return write(type: "error") { frame in
            frame.write("\"code\":", members[0], from: scanner)
            frame.write(",\"detail\":", members[1], from: scanner)
            if let id = members[3] {
                frame.write(",\"type\":\"ack\",\"notificationId\":", id, from: scanner)
            } else if let type = members[2] {
                frame.write(",\"type\":", type, from: scanner)
            }
        }
    }

    private func write(type: StaticString, _ members: (inout ByteBuffer) -> Void) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.writeStaticString("{\"type\":\"")
        frame.writeStaticString(type)
        frame.writeStaticString("\",\"data\":{")
        members(&frame)
        frame.writeStaticString("}}")
        return frame
    }

    private func text(_ value: JSONScanner.Value?) -> String? { value?.text.map(scanner.string) }
}

extension ByteBuffer {
    /// Writes a value as it stands in the scanned text.
    fileprivate mutating func write(
        _ name: StaticString,
        _ value: JSONScanner.Value?,
        orElse text: String = "null",
        from scanner: JSONScanner
    ) {
        writeStaticString(name)
        if let value { writeBytes(scanner.bytes[value.range]) } else { writeString(text) }
    }
}
