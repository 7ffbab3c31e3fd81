package import NIOCore

/// How an entry stands for its user.
package enum EntryStatus: Sendable {
    case unread
    case read
    /// The payload expired before anybody read it.
    case autoCleared

    package var name: StaticString {
        switch self {
        case .unread: "unread"
        case .read: "read"
        case .autoCleared: "auto_cleared"
        }
    }
}

/// One entry of a user's stream: where it stands and which notification it names.
package struct EntryReference: Hashable, Sendable {
    package let streamID: StreamID
    package let notificationID: NotificationID

    package init(streamID: StreamID, notificationID: NotificationID) {
        self.streamID = streamID
        self.notificationID = notificationID
    }
}

/// The text frames that devices receive: `{"type": …, "data": …}`.
package enum ServerFrame {
    package static func writePush(
        _ entry: EntryReference,
        _ content: NotificationContent,
        _ status: EntryStatus,
        marks: InboxMarks? = nil,
        into buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString("{\"type\":\"notification.push\",\"data\":")
        writeEntry(entry, content, status, marks: marks, into: &buffer)
        buffer.writeStaticString("}")
    }

    /// The object that `notification.push` carries and `sync.response` lists.
    package static func writeEntry(
        _ entry: EntryReference,
        _ content: NotificationContent,
        _ status: EntryStatus,
        marks: InboxMarks? = nil,
        into buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString("{")
        writeReference(entry, into: &buffer)
        buffer.writeStaticString(",")
        buffer.writeImmutableBuffer(content.common)
        buffer.writeStaticString(",\"status\":\"")
        buffer.writeStaticString(status.name)
        buffer.writeStaticString(status == .read ? "\",\"read\":true" : "\",\"read\":false")
        buffer.writeImmutableBuffer(content.optional)
        if let marks, !marks.isEmpty {
            var members = ""
            marks.writeMembers(entry.notificationID, at: Timestamp.nowMilliseconds(), into: &members)
            buffer.writeString(members)
        }
        buffer.writeStaticString("}")
    }

    package static func writeReadAck(_ entry: EntryReference, into buffer: inout ByteBuffer) {
        writeReferenceFrame("notification.read.ack", entry, into: &buffer)
    }

    package static func writeAutoCleared(_ entry: EntryReference, into buffer: inout ByteBuffer) {
        writeReferenceFrame("notification.auto_cleared", entry, into: &buffer)
    }

    /// Tells what was done to notifications, and how many are unread now.
    package static func writeInboxChanged(_ change: InboxChange, unreadCount: Int, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"type\":\"inbox.changed\",\"data\":{\"action\":\"")
        buffer.writeString(change.action.rawValue)
        buffer.writeStaticString("\",\"notifications\":[")
        for (index, entry) in change.entries.enumerated() {
            buffer.writeStaticString(index == 0 ? "{" : ",{")
            writeReference(entry, into: &buffer)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("],\"unread_count\":")
        buffer.writeString(String(unreadCount))
        if let until = change.until {
            buffer.writeString(",\"snoozed_until\":\"\(Timestamp(milliseconds: until).text)\"")
        }
        buffer.writeStaticString("}}")
    }

    package static func writeRetentionAck(days: Int, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"type\":\"retention.set.ack\",\"data\":{\"days\":")
        buffer.writeString(String(days))
        buffer.writeStaticString("}}")
    }

    package static func writeError(_ error: ClientFrameError, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"type\":\"error\",\"data\":{\"code\":\"")
        buffer.writeStaticString(error.code.name)
        buffer.writeStaticString("\",\"detail\":")
        buffer.writeString(JSON.quoted(error.detail))
        if let type = error.type {
            buffer.writeStaticString(",\"type\":")
            buffer.writeString(JSON.quoted(type))
        }
        if let entry = error.entry {
            buffer.writeStaticString(",")
            writeReference(entry, into: &buffer)
        }
        buffer.writeStaticString("}}")
    }

    private static func writeReferenceFrame(
        _ type: StaticString,
        _ entry: EntryReference,
        into buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString("{\"type\":\"")
        buffer.writeStaticString(type)
        buffer.writeStaticString("\",\"data\":{")
        writeReference(entry, into: &buffer)
        buffer.writeStaticString("}}")
    }

    /// Ids of another program's entries may hold anything, so they are quoted like any text.
    private static func writeReference(_ entry: EntryReference, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("\"notification_id\":")
        buffer.writeString(JSON.quoted(entry.notificationID.text))
        buffer.writeStaticString(",\"stream_id\":\"")
        buffer.writeStreamID(entry.streamID)
        buffer.writeStaticString("\"")
    }
}

/// What `session.ready` says: the replay is over.
package struct SessionReady: Sendable {
    package let connectionID: String
    package let podID: String
    package let unreadCount: Int
    package let lastStreamID: StreamID
    /// Changes when stream ids may have gone back; a `since` of another epoch is worth nothing.
    package let epoch: String

    package static let protocolVersion = 1

    package init(connectionID: String, podID: String, unreadCount: Int, lastStreamID: StreamID, epoch: String) {
        self.connectionID = connectionID
        self.podID = podID
        self.unreadCount = unreadCount
        self.lastStreamID = lastStreamID
        self.epoch = epoch
    }

    package func write(into buffer: inout ByteBuffer) {
        buffer.writeString(
            "{\"type\":\"session.ready\",\"data\":{\"connection_id\":\"\(connectionID)\",\"pod_id\":\(JSON.quoted(podID))"
                + ",\"unread_count\":\(unreadCount),\"last_stream_id\":\"\(lastStreamID)\",\"epoch\":\"\(epoch)\""
                + ",\"server_time\":\"\(Timestamp.now().text)\",\"protocol\":\(Self.protocolVersion)}}"
        )
    }
}

extension ByteBuffer {
    /// Writes `<ms>-<seq>`.
    package mutating func writeStreamID(_ id: StreamID) {
        writeDecimal(id.milliseconds)
        writeInteger(UInt8(ascii: "-"))
        writeDecimal(id.sequence)
    }

    /// Writes a number in decimal digits without making a String of it.
    package mutating func writeDecimal(_ number: UInt64) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { space in
            var rest = number
            var length = 0
            repeat {
                space[length] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
                length += 1
            } while rest > 0
            space[0..<length].reverse()
            return length
        }
    }
}
