import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import Testing

@testable import CarillonStore

@Suite struct AdminStoreTests {
    private func admin(_ link: StoreLink) -> AdminStore { AdminStore(link.reader) }

    /// Adds entries `<user>.1` and so on, and notes the user with `score`.
    private func fill(_ link: StoreLink, _ user: User, entries: Int, score: String) async throws {
        for number in 0..<entries {
            try await link.add(user, "\(user.key.idPart).\(number + 1)", id: "\(number + 1)-0")
        }
        try await link.redis("ZADD", link.spread("notif:users:recent", user.key.text), score, user.key.text)
    }

    /// All rows of a listing, page by page.
    private func walk(_ link: StoreLink, limit: Int) async throws -> [String] {
        var rows: [String] = []
        var position: AdminStore.Position?
        repeat {
            let page = try await admin(link).pending(limit: limit, from: position)
            let found = page.users.flatMap { user in
                user.rows.map { "\(user.user) \($0.notificationID?.text ?? "?")" }
            }
            #expect(found.count <= limit)
            if page.next != nil { #expect(found.count == limit) }
            rows += found
            position = page.next.flatMap { AdminStore.Position($0.text) }
        } while position != nil
        return rows
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 100])
    func everyLimitListsTheSame(limit: Int) async throws {
        try await StoreLink.with { link in
            try await fill(link, .test(1), entries: 3, score: "30")
            try await fill(link, .test(2), entries: 2, score: "20")
            // Two of one score, and one without anything unread.
            try await fill(link, .test(3), entries: 1, score: "20")
            try await fill(link, .test(4), entries: 1, score: "40")
            try await link.redis("HSET", "notification_state:4-u", "4.1", "read")
            try await link.redis("HSET", "notification_state:1-u", "1.2", "read", "1.3", "seen")
            let expected = ["1-u 1.3", "1-u 1.1", "3-u 3.1", "2-u 2.2", "2-u 2.1"]
            #expect(try await walk(link, limit: limit) == expected)
            let totals = try await admin(link).pendingTotals()
            #expect(totals.entries == 5 && totals.users == 3)
        }
    }

    @Test(arguments: [1, 63, 64, 65, 130])
    func moreUsersThanARound(limit: Int) async throws {
        try await StoreLink.with { link in
            for number in 1...130 { try await fill(link, .test(Int64(number)), entries: 1, score: "\(number / 3)") }
            let rows = try await walk(link, limit: limit)
            let expected = (1...130).sorted { ($0 / 3, "\($0)-u") > ($1 / 3, "\($1)-u") }
            #expect(rows == expected.map { "\($0)-u \($0).1" })
        }
    }

    @Test func oneReadForAPageOfUsers() async throws {
        try await StoreLink.with { link in
            for number in 1...63 { try await fill(link, .test(Int64(number)), entries: 1, score: "\(number)") }
            let commands = try await link.commands {
                let page = try await admin(link).pending(limit: 100, from: nil)
                #expect(page.users.count == 63)
            }
            #expect(commands["zrevrangebyscore"] == (link.client.isSharded ? 16 : 1))
        }
    }

    /// Nor do whole pages of them.
    @Test(arguments: [63, 64, 65, 128])
    func whatIsNoUserEndsNoListing(count: Int) async throws {
        try await StoreLink.with { link in
            let key = link.spread("notif:users:recent", "1-u")
            for number in 1...count { try await link.redis("ZADD", key, "\(1_000 + number)", "nobody\(number)") }
            try await fill(link, .test(1), entries: 2, score: "1")
            #expect(try await walk(link, limit: 1) == ["1-u 1.2", "1-u 1.1"])
            #expect(try await admin(link).pendingTotals().users == 1)
        }
    }

    /// Sixteen payloads of a mebibyte are one page, fifteen leave room for the next user's.
    @Test(arguments: [(15, 2), (16, 1), (17, 1)])
    func aPageEndsWithSixteenMebibytes(entries: Int, users: Int) async throws {
        let payload = "\"\(String(repeating: "x", count: (1 << 20) - 2))\""
        try await StoreLink.with { link in
            for user in 1...2 {
                try await fill(link, .test(Int64(user)), entries: entries, score: "\(9 - user)")
                for number in 1...entries {
                    try await link.redis("SET", "notification:\(user).\(number)", payload)
                }
            }
            let page = try await admin(link).pending(limit: 10_000, from: nil)
            #expect(page.users.map(\.user.text) == Array(["1-u", "2-u"].prefix(users)))
            let rest = try await admin(link).pending(limit: 10_000, from: page.next)
            #expect(rest.users.map(\.user.text) == Array(["1-u", "2-u"].dropFirst(users)))
        }
    }

    /// Of a pod's long lists, whoever asks for them.
    @Test(arguments: [true, false])
    func waitsForItsTurn(isPending: Bool) async throws {
        try await StoreLink.with { link in
            let reader = link.reader
            try await fill(link, .test(1), entries: 1, score: "1")
            var turns = [await reader.longReads.enter(), await reader.longReads.enter()]
            var list: Task<Int, any Error>?
            let commands = try await link.commands {
                list = Task {
                    let admin = AdminStore(reader)
                    guard isPending else { return try await admin.history(of: User.test(1).key).count }
                    return try await admin.pending(limit: 10, from: nil).users[0].rows.count
                }
                // Time in which it would be done.
                for _ in 0..<100 { try await link.redis("ECHO", "x") }
            }
            let isBegun = commands.keys.contains { $0 != "echo" }
            turns = []
            #expect(try await list?.value == 1 && turns.isEmpty)
            #expect(!isBegun)
        }
    }

    @Test func rowsHoldWhatIsStored() async throws {
        try await StoreLink.with { link in
            try await fill(link, .test(1), entries: 3, score: "1")
            for id in ["1.1", "1.2"] { try await link.redis("DEL", "notification:\(id)") }
            try await link.redis("HSET", "notification:1.2", "a", "b")
            let page = try await admin(link).pending(limit: 10, from: nil)
            #expect(page.next == nil)
            #expect(page.users.map(\.user.text) == ["1-u"])
            #expect(page.users[0].rows.map(\.payload) == ["{\"message\":\"m\"}", nil, nil])
            #expect(page.users[0].rows.map(\.place.streamID.milliseconds) == [3, 2, 1])
            #expect(page.users[0].rows.allSatisfy { !$0.isRead })
        }
    }

    @Test func strangersScoresAndKeysHarmNobodyElse() async throws {
        try await StoreLink.with { link in
            for (number, score) in ["5", "-5", "inf", "-inf", "1e300", "0.5"].enumerated() {
                try await fill(link, .test(Int64(number)), entries: 1, score: score)
            }
            for (score, user) in [("7", "9-wrong"), ("8", "8-wrong")] {
                try await link.redis("ZADD", link.spread("notif:users:recent", user), score, user)
            }
            try await link.redis("SET", "stream:user:9-wrong", "x")
            try await link.add(User.test(8, "wrong"), "8.1")
            try await link.redis("SET", "notification_state:8-wrong", "x")
            let page = try await admin(link).pending(limit: 100, from: nil)
            #expect(page.users.count == 7)
        }
    }

    @Test func nobody() async throws {
        try await StoreLink.with { link in
            let page = try await admin(link).pending(limit: 10, from: nil)
            #expect(page.users.isEmpty && page.next == nil)
            #expect(try await admin(link).history(of: User.test(1).key).isEmpty)
        }
    }

    @Test(
        arguments: ["1700000000000:5-0:312d616c696365", "0:0-0:c3a92d78", "18446744073709551615:1-2:612533416200"]
    )
    func positionsRoundTrip(text: String) {
        #expect(AdminStore.Position(text)?.text == text)
    }

    @Test(arguments: [
        "", ":", "::", "1:5-0", "1:5-0:", "x:5-0:1-a", "1:x:1-a", "-1:5-0:1-a", "1:5-0-0:312d61", "1:5-0:312d6",
        "1:5-0:ff",
    ])
    func whatIsNoPosition(text: String) {
        #expect(AdminStore.Position(text) == nil)
    }

    @Test(arguments: [99, 100, 101])
    func historyIsTheLastHundredOldestFirst(count: Int) async throws {
        try await StoreLink.with(
            { $0.streamMaxLength = 1_000 },
            { link in
                let user = User.test(1)
                try await fill(link, user, entries: count, score: "1")
                try await link.redis("HSET", "notification_state:1-u", "1.\(count)", "read", "1.\(count - 1)", "seen")
                try await link.redis("DEL", "notification:1.\(count - 2)")
                let rows = try await admin(link).history(of: user.key)
                let expected = ((count > 100 ? 2 : 1)...count).map { "1.\($0)" }
                #expect(rows.map(\.notificationID?.text) == expected)
                #expect(rows.map(\.isRead) == expected.map { $0 == "1.\(count)" })
                #expect(rows.map { $0.payload == nil } == expected.map { $0 == "1.\(count - 2)" })
            }
        )
    }

    @Test func historyIsCutAtTheLengthOfStreams() async throws {
        try await StoreLink.with(
            { $0.streamMaxLength = 5 },
            { link in
                try await fill(link, .test(1), entries: 9, score: "1")
                #expect(try await admin(link).history(of: User.test(1).key).count == 5)
                #expect(try await admin(link).pending(limit: 100, from: nil).users[0].rows.count == 5)
            }
        )
    }
}
