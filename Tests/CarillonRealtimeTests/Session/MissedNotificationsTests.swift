import CarillonDomain
import CarillonStore
import Foundation
import NIOCore
import Testing

@testable import CarillonRealtime

/// What a `requestMissedNotifications` is answered with, and what happens between its reading and its last page.
@Suite struct MissedNotificationsTests {
    private let topic = Topic(stored: "orders")

    private func entry(_ number: UInt64) -> EntryReference {
        EntryReference(
            streamID: StreamID(milliseconds: number, sequence: 0),
            notificationID: NotificationID("n\(number)")
        )
    }

    private func part(_ numbers: [UInt64], read: [UInt64] = [], fields: [(String, String)] = []) -> InboxPart {
        InboxPart(
            entries: numbers.map { StoredEntry(id: entry($0).streamID, notificationID: entry($0).notificationID) },
            read: Set(read.map { entry($0).notificationID }),
            topics: fields.isEmpty ? nil : TopicRecord(fields: fields)
        )
    }

    /// Takes all that is left of an answer. - Returns: `number status` of each that is shown.
    private func rest(_ missed: MissedNotifications, expired: Set<UInt64> = []) throws -> [String] {
        var told: [String] = []
        while !missed.isEmpty {
            for item in missed.page(2) {
                let isExpired = expired.contains(item.entry.id.milliseconds)
                guard let frame = missed.next(isExpired ? nil : ByteBuffer(string: "{}")) else { continue }
                let json = try JSONSerialization.jsonObject(with: Data(frame.webSocket.readableBytesView.dropFirst(4)))
                let data = (json as? NSDictionary)?["data"] as? NSDictionary
                let number = (data?["notification_id"] as? String)?.dropFirst() ?? "?"
                told.append("\(number) \(data?["status"] as? String ?? "?")")
            }
        }
        return told
    }

    @Test("what came since, of all streams in the order of ids")
    func sinceOneID() throws {
        let missed = MissedNotifications(since: StreamPosition(own: entry(3).streamID))
        missed.plan(
            part([1, 3, 5, 7], read: [5], fields: [("sub:orders", "0-0"), ("gone:n6", "1"), ("read:n8", "1")])
        )
        missed.plan([2, 3, 4, 6, 8, 9].map(entry), of: topic, through: entry(8).streamID)
        #expect(try rest(missed) == ["4 unread", "5 read", "7 unread", "8 read"])
    }

    @Test("a stream that is not named goes on behind all that are")
    func severalIDs() throws {
        let since = StreamPosition(own: nil, topics: [topic: entry(2).streamID, .everybody: entry(4).streamID])
        let missed = MissedNotifications(since: since)
        missed.plan(part([1, 3, 5]))
        missed.plan([2, 3].map(entry), of: topic, through: entry(3).streamID)
        missed.plan([4, 6].map(entry), of: .everybody, through: entry(6).streamID)
        missed.plan([1, 4, 7].map(entry), of: Topic(stored: "news"), through: entry(7).streamID)
        #expect(try rest(missed) == ["3 unread", "5 unread", "6 unread", "7 unread"])
    }

    @Test("reads and removals that come meanwhile count, whenever they come")
    func meanwhile() throws {
        let missed = MissedNotifications(since: StreamPosition(own: .zero))
        missed.read(entry(1))
        missed.read(TopicReference(topic, entry(2)))
        missed.plan(part([1, 3, 5]))
        missed.plan([2, 4, 6].map(entry), of: topic, through: entry(6).streamID)
        missed.read(entry(3))
        missed.read(TopicReference(topic, entry(4)))
        missed.remove([entry(5)], of: nil)
        missed.remove([entry(6)], of: topic)
        #expect(try rest(missed) == ["1 read", "2 read", "3 read", "4 read"])
    }

    @Test("what has expired is left out")
    func expired() throws {
        let missed = MissedNotifications(since: StreamPosition(own: .zero))
        missed.plan(part([1, 2, 3, 4], read: [2]))
        #expect(try rest(missed, expired: [1, 2, 4]) == ["3 unread"])
        missed.clear()
        #expect(missed.isEmpty)
    }
}
