import CarillonDomain
import CarillonRedis
import Testing

@testable import CarillonStore

/// What a user has to do with topics, as it is stored.
@Suite struct SubscriptionTests {
    private let alice = User.test(1, "alice")
    private let key = "notif:topics:1-alice"

    /// Text ids may begin with any character, `@` included.
    @Test func whatBecameOfATopicIsNotStoredWithAUsers() {
        let user = User(id: .text("@a"), login: "b")
        #expect(Keys.receipts(Topic(stored: "a-b")).text != Keys.receipts(user.key).text)
        #expect(Keys.receipts(Topic(stored: "\(user.key)")).text != Keys.receipts(user.key).text)
    }

    @Test func onlyWhatComesLaterIsHis() async throws {
        try await StoreLink.with { link in
            let before = try #require(try await link.publish(.orders, "before"))
            #expect(try await link.subscribe(alice, [.orders, .news]))
            #expect(try await link.redis("HGETALL", key).table == ["sub:orders": before.id.text, "sub:news": "0-0"])
            #expect(try await link.reader.channels(of: alice.key) == ["news", "orders"])
            _ = try await link.publish(.orders, "after")
            _ = try await link.publish(.everybody, "all")
            #expect(try await link.inbox(alice) == ["all", "after"])
            #expect(try await link.inbox(.test(2)) == ["all"])
            #expect(try await link.subscribe(alice, [.orders]))
            #expect(try await link.redis("HGET", key, "sub:orders").string == before.id.text)
            #expect((15 * 86_400 - 60...15 * 86_400).contains(try await link.redis("TTL", key).integer ?? 0))
        }
    }

    @Test func anEmptiedTopicKeepsItsPlace() async throws {
        try await StoreLink.with { link in
            let last = try #require(try await link.publish(.orders, "x"))
            try await link.redis("XDEL", "notif:topic:orders", last.id.text)
            #expect(try await link.subscribe(alice, [.orders]))
            #expect(try await link.redis("HGET", key, "sub:orders").string == last.id.text)
        }
    }

    private func topics(_ numbers: Range<Int>) -> [Topic] { numbers.map { Topic("c\($0)")! } }

    @Test func aHundredAtMostAndElseNone() async throws {
        try await StoreLink.with { link in
            let isDone = try await link.subscribe(alice, topics(0..<98))
            #expect(isDone)
            #expect(try await link.subscribe(alice, topics(97..<101)) == false)
            #expect(try await link.redis("HLEN", key).integer == 98)
            #expect(try await link.subscribe(alice, topics(97..<100)))
            #expect(try await link.redis("HLEN", key).integer == 100)
            #expect(try await link.subscribe(alice, topics(0..<100)))
            #expect(try await link.subscribe(alice, topics(100..<101)) == false)
        }
    }

    @Test func aKeyOfTheWrongTypeIsAnErrorAndHarmsNobodyElse() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", key, "x")
            await #expect(throws: StoreError.self) { try await link.subscribe(alice, [.orders]) }
            #expect(try await link.subscribe(.test(2), [.orders]))
            try await link.redis("DEL", key)
            try await link.redis("SET", "notif:topic:news", "x")
            await #expect(throws: StoreError.self) { try await link.subscribe(alice, [.orders, .news]) }
            #expect(try await link.redis("EXISTS", key).integer == 0)
        }
    }

    @Test func theFirstReadingStays() async throws {
        try await StoreLink.with { link in
            #expect(try await link.subscribe(alice, [.orders]))
            for id in ["a", "b", "c"] { _ = try await link.publish(.orders, id) }
            #expect(try await link.markRead(["a", "b"], of: .orders, by: alice) == ["a", "b"])
            #expect(try await link.markRead(["b", "c"], of: .orders, by: alice) == ["c"])
            #expect(try await link.reader.unreadCount(of: alice.key) == 0)
            let item = try await link.reader.item(NotificationID("b"), of: alice.key)?.item
            #expect(item?.isRead == true && item?.receipt.readAt == 7)
            try await link.redis("DEL", key)
            try await link.redis("SET", key, "x")
            #expect(try await link.markRead(["a"], of: .orders, by: alice) == nil)
        }
    }

    @Test func marksCountsAndPages() async throws {
        try await StoreLink.with { link in
            #expect(try await link.subscribe(alice, [.orders]))
            var entries: [EntryReference] = []
            for id in ["a", "b", "c", "d"] {
                let published = try #require(try await link.publish(.orders, id))
                entries.append(EntryReference(streamID: published.id, notificationID: NotificationID(id)))
            }
            let (writer, user) = (link.writer, alice.key)
            #expect(try await writer.mark(.seen, ofTopics: entries, at: 1, of: user).count == 4)
            #expect(try await writer.mark(.seen, ofTopics: entries, at: 2, of: user).isEmpty)
            try await writer.mark(.archived, ofTopics: [entries[0]], at: 1, of: user)
            try await writer.hide(entries[1], at: 1, of: user)
            try await writer.snooze(TopicReference(.orders, entries[2]), until: .max / 4, of: user)
            #expect(try await link.inbox(alice) == ["d"])
            #expect(try await link.reader.unreadCount(of: user) == 1)
            #expect(try await link.reader.row(NotificationID("a"), of: user)?.topic == .orders)
            #expect(try await link.reader.row(NotificationID("b"), of: user) == nil)
            try await writer.unmark(.snoozed, ofTopic: entries[2], of: user)
            try await link.redis("DEL", "notification:d")
            #expect(try await link.inbox(alice) == ["c"])
            #expect(try await link.reader.unreadCount(of: user) == 1)
            #expect(try await link.reader.row(NotificationID("d"), of: user) == nil)
        }
    }

    @Test func operatorsSeeThemInTheHistory() async throws {
        try await StoreLink.with { link in
            _ = try await link.publish(.orders, "before")
            _ = try await link.subscribe(alice, [.orders])
            try await link.add(alice, "own")
            for id in ["a", "b"] { _ = try await link.publish(.orders, id) }
            _ = try await link.publish(.everybody, "all")
            _ = try await link.markRead(["a"], of: .orders, by: alice)
            try await link.redis("DEL", "notification:b")
            let rows = try await AdminStore(link.reader).history(of: alice.key)
            #expect(Set(rows.map(\.notificationID?.text)) == ["own", "a", "b", "all"])
            #expect(rows.map(\.place) == rows.map(\.place).sorted())
            #expect(rows.filter(\.isRead).map(\.notificationID?.text) == ["a"])
            #expect(rows.filter { $0.payload == nil }.map(\.notificationID?.text) == ["b"])
        }
    }

    @Test func theEndOfASnoozeIsThatOfATopicsEntry() async throws {
        try await StoreLink.with { link in
            #expect(try await link.subscribe(alice, [.orders]))
            let published = try #require(try await link.publish(.orders, "a"))
            let entry = EntryReference(streamID: published.id, notificationID: NotificationID("a"))
            let until = UInt64(try await link.now() - 1)
            try await link.writer.snooze(TopicReference(.orders, entry), until: until, of: alice.key)
            let ended = try await link.writer.endedSnoozes(limit: 10)
            #expect(ended.map(\.topic) == [.orders] && ended.map(\.entry) == [entry])
            #expect(try await link.redis("HKEYS", key).array?.count == 1)
            #expect(try await link.writer.endedSnoozes(limit: 10).isEmpty)
        }
    }

    /// At the bound nothing goes, above it what the topics no longer hold.
    @Test func whatIsKnownOfThoseThatAreGoneIsDropped() async throws {
        try await StoreLink.with {
            $0.streamMaxLength = 10
        } _: { link in
            #expect(try await link.subscribe(alice, [.orders]))
            _ = try await link.publish(.orders, "kept")
            _ = try await link.markRead(["kept"], of: .orders, by: alice)
            let bound = 100 + 2 * 10 * 2
            for number in 0..<bound - 2 { try await link.redis("HSET", key, "read:\(number)", "1") }
            _ = try await link.inbox(alice)
            #expect(try await link.redis("HLEN", key).integer == Int64(bound))
            try await link.redis("HSET", key, "gone:one-more", "1")
            _ = try await link.inbox(alice)
            #expect(try await link.redis("HGETALL", key).table == ["sub:orders": "0-0", "read:kept": "7"])
        }
    }

    @Test func whatBecameOfATopicsNotificationsIsBounded() async throws {
        try await StoreLink.with {
            $0.streamMaxLength = 10
        } _: { link in
            let kept = try #require(try await link.publish(.orders, "kept"))
            let entry = EntryReference(streamID: kept.id, notificationID: NotificationID("kept"))
            #expect(try await link.receipt("kept", of: .orders, devices: 2, reads: 0, at: 5) == 2)
            #expect(try await link.receipt("kept", of: .orders, devices: 1, reads: 3, at: 9) == 3)
            #expect(try await link.writer.collapse(entry, key: "k", of: .orders) == nil)
            let report = try await link.reader.report(on: entry.notificationID, of: .orders, expiresAt: nil)
            #expect(report?.devices == 3 && report?.deliveredAt == 5 && report?.reads == 3)
            let receipts = "notif:topic-receipts:orders"
            for number in 0..<76 { try await link.redis("HSET", receipts, "\(number):devices", "1") }
            try await link.writer.tidy(.orders, count: 80)
            #expect(try await link.redis("HLEN", receipts).integer == 80)
            try await link.redis("HSET", receipts, "collapse:old", "1-0 gone")
            try await link.writer.tidy(.orders, count: 81)
            let fields = ["kept:devices", "kept:first", "kept:reads", "collapse:k"]
            #expect(Set(try await link.redis("HGETALL", receipts).table.keys) == Set(fields))
        }
    }
}
