package import CarillonDomain
import CarillonRedis
import NIOCore

extension RedisReply {
    /// A stream id.
    var streamID: StreamID? { withBytes { StreamID(bytes: $0) } }

    /// One entry of XRANGE and its kin: `[id, [field, value, …]]`.
    var streamEntry: StoredEntry? {
        guard kind == .array, count == 2, let id = self[0].streamID else { return nil }
        let fields = self[1]
        guard fields.kind == .array else { return StoredEntry(id: id, notificationID: nil) }
        for index in stride(from: 0, to: fields.count - 1, by: 2) where fields[index].equals("nid") {
            return StoredEntry(id: id, notificationID: NotificationID(fields[index + 1].string))
        }
        return StoredEntry(id: id, notificationID: nil)
    }

    /// The entries of XRANGE, XREVRANGE or one stream of XREADGROUP.
    var streamEntries: [StoredEntry] {
        guard kind == .array else { return [] }
        return (0..<count).compactMap { self[$0].streamEntry }
    }

    /// The even places of HGETALL whose odd neighbour passes `isWanted`.
    func hashFields(where isWanted: (RedisReply) -> Bool) -> [String] {
        guard kind == .array else { return [] }
        return stride(from: 0, to: count - 1, by: 2).compactMap { isWanted(self[$0 + 1]) ? self[$0].string : nil }
    }

    /// The marks in `notif:inbox:{user}`, read by HGETALL.
    var inboxMarks: InboxMarks {
        var marks = InboxMarks()
        guard kind == .array else { return marks }
        for index in stride(from: 0, to: count - 1, by: 2) {
            marks.add(field: self[index].string, value: self[index + 1].string)
        }
        return marks
    }

    /// The bytes of a string reply; nil where there is none.
    var buffer: ByteBuffer? {
        guard kind == .string else { return nil }
        return withBytes { ByteBuffer(bytes: $0) }
    }
}

/// An entry as it stands in a stream; another program's may name no notification.
package struct StoredEntry: Hashable, Sendable {
    package let id: StreamID
    package let notificationID: NotificationID?

    package init(id: StreamID, notificationID: NotificationID?) {
        self.id = id
        self.notificationID = notificationID
    }

    package var reference: EntryReference? {
        notificationID.map { EntryReference(streamID: id, notificationID: $0) }
    }
}
