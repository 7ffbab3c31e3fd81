import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import Testing

@testable import CarillonStore

/// Where the keys that hold something of every user have him.
@Suite struct UserShardTests {
    private func users(_ count: Int) -> [UserKey] { (0..<count).map { User.test(Int64($0)).key } }

    /// Worked out by another CRC16: pods of all versions must say the same.
    @Test(arguments: [("1-alice", 10), ("1-u", 13), ("7-bob", 9), ("42-test_user", 3)])
    func aUsersShardNeverChanges(user: String, number: Int) throws {
        let user = try #require(UserKey(text: user))
        #expect(UserShard.number(of: user) == number)
        #expect(UserShard.of(user, isSharded: true).suffix == ":\(number)")
        #expect(UserShard.of(user, isSharded: false).suffix == "")
    }

    @Test func usersAreSpreadEvenly() {
        let sizes = Dictionary(grouping: users(16_000), by: { UserShard.number(of: $0) }).mapValues(\.count)
        #expect(Set(sizes.keys) == Set(0..<16))
        #expect(sizes.values.allSatisfy { (800...1_200).contains($0) }, "\(sizes)")
    }

    @Test func rowsAreDividedWithoutLoss() {
        let users = users(1_000)
        let parts = UserShard.divide(users, isSharded: true) { $0 }
        #expect(Set(parts.map(\.shard)) == Set(UserShard.all(isSharded: true)))
        #expect(parts.allSatisfy { part in part.rows.allSatisfy { .of($0, isSharded: true) == part.shard } })
        #expect(parts.flatMap(\.rows).map(\.text).sorted() == users.map(\.text).sorted())
        let whole = UserShard.divide(users, isSharded: false) { $0 }
        #expect(whole.map(\.shard) == [.whole] && whole[0].rows == users)
        #expect(UserShard.divide([UserKey](), isSharded: false) { $0 }.isEmpty)
        #expect(UserShard.divide([UserKey](), isSharded: true) { $0 }.isEmpty)
    }

    @Test func keysEndWithTheShard() throws {
        let user = try #require(UserKey(text: "1-alice"))
        for (isSharded, end) in [(true, ":10"), (false, "")] {
            let shard = UserShard.of(user, isSharded: isSharded)
            #expect(Keys.recentUsers(shard).text == "notif:users:recent\(end)")
            #expect(Keys.snoozed(shard).text == "notif:snoozed\(end)")
            #expect(Keys.expired(slot: 7, shard).text == "notif:expired:7\(end)")
            #expect(Keys.trimming(day: 8, shard).text == "notif:trimming:8\(end)")
        }
    }

    // MARK: - In Redis

    @Test func whoIsNotifiedIsNotedInHisShard() async throws {
        try await StoreLink.with { link in
            let users = users(200)
            let now = UInt64(try await link.now())
            try await link.run { parts in
                for user in users {
                    let id = StreamID(milliseconds: now, sequence: 0)
                    parts.store.activity.notified(user, id, ttlSeconds: 60)
                }
                parts.store.activity.flush()
            }
            let (slot, day) = (now / 10_000 + 7, now / 86_400_000 + 1)
            for user in users.map(\.text) {
                let recent = try await link.redis("ZSCORE", link.spread("notif:users:recent", user), user)
                #expect(recent.string == "\(now)")
                for key in ["notif:expired:\((now + 60_000) / 10_000 + 1)", "notif:trimming:\(day)"] {
                    #expect(try await link.redis("SISMEMBER", link.spread(key, user), user) == .integer(1))
                }
            }
            let count = link.client.isSharded ? 16 : 1
            for pattern in ["notif:users:recent*", "notif:expired:\(slot)*", "notif:trimming:\(day)*"] {
                #expect(try await link.keys(pattern).count == count)
            }
        }
    }

    /// 100,000 users in all.
    @Test(arguments: [-1, 0, 1])
    func thoseNotifiedLongestAgoAreForgotten(beyond: Int) async throws {
        try await StoreLink.with { link in
            let user = User.test(1).key
            let key = link.spread("notif:users:recent", user.text)
            let most = link.client.isSharded ? 6_250 : 100_000
            // The new one included.
            let members = (1..<most + beyond).map { "\($0)-old" }
            for start in stride(from: 0, to: members.count, by: 5_000) {
                let some = start..<min(start + 5_000, members.count)
                let rows = some.flatMap { index -> [RedisArgument] in [.text("\(index + 1)"), .text(members[index])] }
                _ = try await link.client.call(RedisCommand("ZADD", [.text(key)] + rows))
            }
            try await link.run { parts in
                let id = StreamID(milliseconds: 1_000_000, sequence: 0)
                parts.store.activity.notified(user, id, ttlSeconds: 60)
                parts.store.activity.flush()
            }
            #expect(try await link.redis("ZCARD", key).integer == Int64(min(most + beyond, most)))
            #expect(try await link.redis("ZSCORE", key, "1-old").isNull == (beyond == 1))
            #expect(try await link.redis("ZSCORE", key, "2-old").isNull == false)
            #expect(try await link.redis("ZSCORE", key, user.text).string == "1000000")
        }
    }

    @Test func everySnoozeIsWokenOnce() async throws {
        try await StoreLink.with { link in
            let writer = InboxWriter(redis: link.client, settings: link.settings)
            let now = UInt64(try await link.now())
            let entry = EntryReference(
                streamID: StreamID(milliseconds: 1, sequence: 0),
                notificationID: NotificationID("n")
            )
            let users = users(200)
            for user in users { try await writer.snooze(entry, until: now - 1, of: user) }
            try await writer.snooze(entry, until: now + 600_000, of: User.test(1_000).key)
            for user in users.map(\.text) {
                let score = try await link.redis("ZSCORE", link.spread("notif:snoozed", user), "\(user) 1-0 n")
                #expect(score.integer == Int64(now - 1))
            }
            async let first = woken(writer)
            async let second = woken(writer)
            let woken = try await first + second
            #expect(woken.map(\.text).sorted() == users.map(\.text).sorted())
            #expect(try await link.keys("notif:snoozed*").count == 1)
        }
    }

    /// Whose snoozes one pod wakes, looking until nothing is left.
    private func woken(_ writer: InboxWriter) async throws -> [UserKey] {
        var users: [UserKey] = []
        while true {
            let ended = try await writer.endedSnoozes(limit: 10)
            users += ended.map(\.user)
            if ended.isEmpty { return users }
        }
    }
}
