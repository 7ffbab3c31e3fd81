import CarillonDomain
import CarillonMetrics
import CarillonRedis
import CarillonTestSupport
import Testing

@testable import CarillonStore

/// Each rule by which a user is brought in line with his stream.
@Suite struct UserKeeperTests {
    private let alice = User.test(1, "alice")
    private let stream = "stream:user:1-alice"
    private let state = "notification_state:1-alice"
    private static let day = 86_400_000

    private func keep(_ link: StoreLink) async throws -> KeepingReport {
        try await UserKeeper(redis: link.client, settings: link.settings, metrics: link.metrics).keep(alice.key)
    }

    /// Keeps the user twice: the second time there is nothing left to do.
    private func keepTwice(_ link: StoreLink) async throws -> KeepingReport {
        let report = try await keep(link)
        let entries = try await link.entries(alice)
        let again = try await keep(link)
        #expect(again.removed == 0)
        #expect(again.cleared == [])
        #expect(again.nextTrimMilliseconds == report.nextTrimMilliseconds)
        #expect(try await link.entries(alice) == entries)
        return report
    }

    private func goOnline(_ link: StoreLink, forSeconds seconds: Int = 60) async throws {
        try await link.redis("HSET", "notif:conn:1-alice", "b", "\(try await link.now() / 1_000 + seconds)")
    }

    private func markRead(_ link: StoreLink, _ names: String...) async throws {
        for name in names { try await link.redis("HSET", state, name, "read") }
    }

    private func id(_ link: StoreLink, daysAgo days: Double) async throws -> String {
        "\(try await link.now() - Int(days * Double(Self.day)))-0"
    }

    private func names(_ entries: [EntryReference]) -> [String] { entries.map(\.notificationID.text) }

    // MARK: - Entries

    @Test func whatHasAPayloadStays() async throws {
        try await StoreLink.with { link in
            let first = try await link.add(alice, "read")
            try await link.add(alice, "unread")
            try await markRead(link, "read")
            try await goOnline(link)
            let report = try await keepTwice(link)
            #expect(report.removed == 0)
            #expect(try await link.notifications(alice) == ["read", "unread"])
            #expect(report.nextTrimMilliseconds == first.milliseconds + UInt64(15 * Self.day))
        }
    }

    @Test(arguments: [true, false])
    func expiredOnes(isOnline: Bool) async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            for name in ["read", "unread"] { try await link.add(alice, name, payload: nil) }
            try await link.redis("XADD", stream, "*", "other", "x")
            try await link.handOut(alice)
            try await markRead(link, "read")
            if isOnline { try await goOnline(link) }
            let report = try await keepTwice(link)
            #expect(names(report.cleared) == (isOnline ? ["unread"] : []))
            #expect(report.removed == (isOnline ? 3 : 2))
            #expect(try await link.notifications(alice) == (isOnline ? [] : ["unread"]))
            #expect(try await link.redis("EXISTS", state) == .integer(0))
            #expect(try await link.pending(alice) == (isOnline ? [] : try await link.entries(alice)))
        }
    }

    @Test(arguments: [
        (nil, 14.9, true), (nil, 15.1, false), ("1", 0.9, true), ("1", 1.1, false), ("7", 6.9, true), ("7", 7.1, false),
    ])
    func retention(days: String?, age: Double, stays: Bool) async throws {
        try await StoreLink.with { link in
            if let days { try await link.redis("SET", "notif:retention:1-alice", days) }
            try await link.createGroup(alice)
            try await link.add(alice, "old", id: try await id(link, daysAgo: age))
            try await link.handOut(alice)
            try await goOnline(link)
            let report = try await keepTwice(link)
            #expect(report.removed == (stays ? 0 : 1))
            #expect(try await link.notifications(alice) == (stays ? ["old"] : []))
            // Past retention it goes without a word.
            #expect(report.cleared == [])
        }
    }

    @Test(arguments: ["0", "16", "-1", "x", "", "1.5", "99999999999999999999"])
    func aRetentionThatNobodyMaySetIsTheDefault(days: String) async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", "notif:retention:1-alice", days)
            try await link.add(alice, "younger", id: try await id(link, daysAgo: 14.9))
            let report = try await keepTwice(link)
            #expect(report.removed == 0)
            #expect(report.nextTrimMilliseconds != nil)
        }
    }

    @Test func expiredUnreadOnesPastRetentionGoThoughNobodyIsThere() async throws {
        try await StoreLink.with { link in
            try await link.add(alice, "old", id: try await id(link, daysAgo: 15.1), payload: nil)
            try await link.add(alice, "new", payload: nil)
            let report = try await keepTwice(link)
            #expect(report.removed == 1)
            #expect(report.cleared == [])
            #expect(try await link.notifications(alice) == ["new"])
        }
    }

    @Test func ofTwoKeepersOneCounts() async throws {
        try await StoreLink.with { link in
            for number in 0..<50 { try await link.add(alice, "n\(number)", payload: nil) }
            try await goOnline(link)
            let other = try await StoreLink.open(link.process) { $0.podID = "b" }
            async let first = keep(link)
            async let second = keep(other)
            let told = try await names(first.cleared) + names(second.cleared)
            #expect(told.sorted() == (0..<50).map { "n\($0)" }.sorted())
            try await other.close()
        }
    }

    @Test func moreEntriesThanAPage() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            for number in 0..<1_100 { try await link.add(alice, "n\(number)", id: "\(1 + number)-0", payload: nil) }
            try await link.handOut(alice)
            let report = try await keepTwice(link)
            #expect(report.removed == 1_100)
            #expect(try await link.redis("XLEN", stream) == .integer(0))
        }
    }

    // MARK: - State and group

    @Test func fieldsWithoutAnEntryAreDropped() async throws {
        try await StoreLink.with { link in
            try await link.add(alice, "there")
            try await markRead(link, "there", "gone")
            try await link.redis("HSET", state, "odd", "seen")
            #expect(try await keepTwice(link).removed == 2)
            #expect(try await link.redis("HGETALL", state).table == ["there": "read"])
        }
    }

    @Test func aStateWithoutAStreamIsDropped() async throws {
        try await StoreLink.with { link in
            try await markRead(link, "gone")
            #expect(try await keepTwice(link).removed == 1)
            #expect(try await link.redis("EXISTS", state) == .integer(0))
            #expect(try await link.redis("EXISTS", stream) == .integer(0))
        }
    }

    @Test func aMissingGroupIsMadeWhereThereIsAStream() async throws {
        try await StoreLink.with { link in
            try await link.add(alice, "n")
            _ = try await keepTwice(link)
            let group = try await link.redis("XINFO", "GROUPS", stream).array?.first?.array ?? []
            #expect(group.count > 8 && group[1].string == "notifications")
            try await link.handOut(alice)
            #expect(try await link.pending(alice).count == 1)
        }
    }

    @Test func whatIsReadOrGoneDoesNotStayPending() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            try await link.add(alice, "read")
            let deleted = try await link.add(alice, "deleted")
            let unread = try await link.add(alice, "unread")
            try await link.handOut(alice)
            try await markRead(link, "read")
            try await link.redis("XDEL", stream, deleted.text)
            #expect(try await keepTwice(link).removed == 2)
            #expect(try await link.pending(alice) == [unread.text])
            #expect(link.metrics.unreadTrimmed.value == 1)
        }
    }

    @Test func aLongPendingListIsRepairedPageByPage() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            for number in 1...1_200 { try await link.add(alice, "n\(number)", payload: nil) }
            try await link.handOut(alice)
            try await link.redis("XTRIM", stream, "MAXLEN", "50")
            #expect(try await keepTwice(link).removed == 1_150)
            #expect(try await link.redis("XPENDING", stream, "notifications").array?.first == .integer(50))
            #expect(link.metrics.unreadTrimmed.value == 1_150)
        }
    }

    // MARK: - Trimmed unread

    @Test(arguments: [true, false])
    func whatNobodyWasThereToReadIsCountedWhenItIsTrimmed(hasGroup: Bool) async throws {
        try await StoreLink.with { link in
            if hasGroup { try await link.createGroup(alice) }
            for number in 1...30 { try await link.add(alice, "n\(number)") }
            #expect(try await keepTwice(link).removed == 0)
            #expect(link.metrics.unreadTrimmed.value == 0)
            try await link.redis("XTRIM", stream, "MAXLEN", "10")
            #expect(try await keepTwice(link).removed == 0)
            #expect(link.metrics.unreadTrimmed.value == 20)
            for number in 31...35 { try await link.add(alice, "n\(number)") }
            try await link.redis("XTRIM", stream, "MAXLEN", "10")
            #expect(try await keepTwice(link).removed == 0)
            #expect(link.metrics.unreadTrimmed.value == 25)
            // The group is none the wiser: all that is left is still to be handed out.
            try await link.handOut(alice)
            #expect(try await link.pending(alice).count == 10)
        }
    }

    @Test func whatIsRemovedForItsAgeIsNotTrimmed() async throws {
        try await StoreLink.with { link in
            for days in [15.3, 15.2, 15.1] {
                try await link.add(alice, "n\(days)", id: try await id(link, daysAgo: days))
            }
            try await link.add(alice, "young")
            #expect(try await keepTwice(link).removed == 3)
            try await link.add(alice, "younger")
            #expect(try await keepTwice(link).removed == 0)
            #expect(link.metrics.unreadTrimmed.value == 0)
        }
    }

    // MARK: - Empty streams

    @Test(arguments: [(0.9, true), (1.1, false)])
    func anEmptyStreamGoesAnHourAfterItsLastID(hours: Double, stays: Bool) async throws {
        try await StoreLink.with { link in
            let id = try await link.add(alice, "n", id: try await id(link, daysAgo: hours / 24))
            try await link.redis("XDEL", stream, id.text)
            #expect(try await keepTwice(link).nextTrimMilliseconds == nil)
            #expect(try await link.redis("EXISTS", stream) == .integer(stays ? 1 : 0))
        }
    }

    /// Its devices would be told that their history is gone.
    @Test func anEmptyStreamStaysWhereSomebodyIsOnline() async throws {
        try await StoreLink.with { link in
            try await link.redis("HSET", "notif:conn:1-alice", "a", "1")
            let id = try await link.add(alice, "n", id: try await id(link, daysAgo: 2))
            try await link.redis("XDEL", stream, id.text)
            _ = try await keepTwice(link)
            #expect(try await link.redis("EXISTS", stream) == .integer(1))
            try await link.redis("DEL", "notif:conn:1-alice")
            _ = try await keepTwice(link)
            #expect(try await link.redis("EXISTS", stream) == .integer(0))
        }
    }

    @Test func anOldStreamWithEntriesIsNoEmptyOne() async throws {
        try await StoreLink.with { link in
            try await link.add(alice, "n", id: try await id(link, daysAgo: 1))
            _ = try await keepTwice(link)
            #expect(try await link.entries(alice).count == 1)
        }
    }

    @Test func nothingAtAll() async throws {
        try await StoreLink.with { link in
            let report = try await keepTwice(link)
            #expect(report.removed == 0)
            #expect(report.nextTrimMilliseconds == nil)
            #expect(try await link.keys("*") == [])
        }
    }

    @Test(arguments: ["stream:user:1-alice", "notification_state:1-alice", "notif:conn:1-alice"])
    func aKeyOfTheWrongTypeIsNamed(key: String) async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", key, "x")
            let error = await #expect(throws: StoreError.self) { try await keep(link) }
            #expect(error?.isWrongType == true)
        }
    }
}
