import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import NIOCore
import Testing

@testable import CarillonStore

@Suite struct AppendTests {
    private let alice = User.test(1, "alice")
    private let bob = User.test(2, "bob")

    @Test func payloadAndEntry() async throws {
        try await StoreLink.with { link in
            let appended = try await link.append([alice], ids: ["x"], ttl: 60)
            #expect(appended.stored == 1)
            #expect(try await link.redis("GET", "notification:x").string?.contains("\"message\":\"m\"") == true)
            #expect((1...60).contains(try await link.redis("TTL", "notification:x").integer ?? 0))
            #expect(try await link.notifications(alice) == ["x"])
            #expect(try await link.entries(alice) == appended.entries.map(\.id.text))
            #expect(try await link.redis("TTL", "stream:user:1-alice") == .integer(-1))
        }
    }

    @Test(arguments: [1, 5])
    func threeCommandsPerTarget(targets: Int) async throws {
        try await StoreLink.with { link in
            let users = (1...Int64(targets)).map { User.test($0) }
            let commands = try await link.commands { _ = try await link.append(users) }
            #expect(commands == ["set": targets, "xadd": targets, "xrevrange": targets])
            let withPods = try await link.commands { _ = try await link.append(users, lookUpPods: true) }
            #expect(withPods == ["set": targets, "xadd": targets, "xrevrange": targets, "hgetall": targets])
        }
    }

    @Test func predecessors() async throws {
        try await StoreLink.with { link in
            let first = try await link.append([alice])
            #expect(first.entries[0].predecessor == .zero)
            let second = try await link.append([alice, bob, alice])
            #expect(second.stored == 3)
            #expect(second.entries.map(\.index) == [0, 1, 2])
            #expect(second.entries[0].predecessor == first.entries[0].id)
            #expect(second.entries[1].predecessor == .zero)
            #expect(second.entries[2].predecessor == second.entries[0].id)
            try await link.redis("XDEL", "stream:user:1-alice", second.entries[2].id.text)
            let third = try await link.append([alice])
            #expect(third.entries[0].predecessor == second.entries[0].id)
        }
    }

    /// Behind a keyed append's look at the stream the newest entry may be a stranger's.
    @Test func aStrangersNewerEntryMakesThePredecessorUnknown() async throws {
        try await StoreLink.with { link in
            let appended = try await link.append([alice], ids: ["x"], mode: .keyed(.test(leaseEnd: 0)))
            #expect(appended.entries[0].predecessor == .zero)
            let stranger = try await link.add(alice, "stranger")
            let again = try await link.append([alice], ids: ["x"], mode: .keyed(.test(leaseEnd: 0)))
            #expect(again.entries[0].id == appended.entries[0].id)
            #expect(again.entries[0].predecessor == nil)
            #expect(try await link.append([alice], ids: ["y"]).entries[0].predecessor == stranger)
        }
    }

    @Test func otherPods() async throws {
        try await StoreLink.with { link in
            try await link.redis("HSET", "notif:conn:1-alice", "a", "99", "b", "1", "c", "99")
            let appended = try await link.append([alice, bob], lookUpPods: true)
            // A pod with a wrong clock may have written `1`: expiry is none of the sender's business.
            #expect(appended.entries.map { $0.otherPods.sorted() } == [["b", "c"], []])
            #expect(try await link.append([alice]).entries[0].otherPods == [])
        }
    }

    @Test func aKeyOfTheWrongTypeHarmsItsUserAlone() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", "stream:user:2-bob", "x")
            try await link.redis("SET", "notif:conn:1-alice", "x")
            let appended = try await link.append([alice, bob, .test(3)], lookUpPods: true)
            #expect(appended.stored == 2)
            #expect(appended.entries.map(\.index) == [0, 2])
            #expect(appended.entries.map(\.otherPods) == [[], []])
        }
    }

    @Test func anEntryWhosePayloadIsRefusedIsTakenBack() async throws {
        try await StoreLink.with { link in
            try await link.redis("ACL", "SETUSER", "default", "-set")
            let appended = try await link.append([alice, bob])
            #expect(appended.stored == 0)
            #expect(appended.entries == [])
            #expect(try await link.entries(alice) == [])
            #expect(try await link.entries(bob) == [])
        }
    }

    /// It was confirmed before, and its payload may be there still.
    @Test func anEntryThatWasThereBeforeIsNotTakenBack() async throws {
        try await StoreLink.with { link in
            _ = try await link.append([alice], ids: ["x"])
            try await link.redis("ACL", "SETUSER", "default", "-set")
            let again = try await link.append([alice], ids: ["x"], mode: .keyed(.test(leaseEnd: 0)))
            #expect(again.stored == 0)
            #expect(try await link.notifications(alice) == ["x"])
        }
    }

    @Test func redisAwayStoresNothingAndSaysSo() async throws {
        try await StoreLink.with { link in
            await link.process.stop()
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await !link.run { $0.connection.isReady }
            }
            let appended = try await link.append([alice, bob], lookUpPods: true)
            #expect(appended.stored == 0)
            #expect(appended.entries.isEmpty)
        }
    }

    @Test func streamsAreCut() async throws {
        try await StoreLink.with(
            { $0.streamMaxLength = 10 },
            { link in
                try await link.redis("CONFIG", "SET", "stream-node-max-entries", "5")
                for _ in 0..<40 { _ = try await link.append([alice]) }
                #expect((10...15).contains(try await link.entries(alice).count))
            }
        )
    }

    @Test func activityIsToldInBulk() async throws {
        try await StoreLink.with { link in
            // What expires within ten seconds is noted in one place: no such time may end while this goes on.
            try await wait(until: "a slot has begun", within: .seconds(20)) { try await link.now() % 10_000 < 4_000 }
            for _ in 0..<3 { _ = try await link.append([alice, bob], ttl: 60) }
            let commands = try await link.commands {
                try await link.run { $0.store.activity.flush() }
                for user in [alice, bob] {
                    let key = link.spread("notif:users:recent", user.key.text)
                    #expect(try await link.redis("ZSCORE", key, user.key.text).integer ?? 0 > 0)
                }
            }
            let shards = Set([alice, bob].map { link.spread("", $0.key.text) }).count
            let expected = ["zadd": 1, "zremrangebyrank": 1, "sadd": 2, "expireat": 2].mapValues { $0 * shards }
            #expect(commands == expected.merging(["zscore": 2]) { $1 })
            let slot = UInt64(try await link.now()) / 10_000
            let keys = try await link.keys("notif:expired:*")
            #expect(keys.count == shards)
            #expect(keys.allSatisfy { ["\(slot + 6)", "\(slot + 7)"].contains($0.split(separator: ":")[2]) })
            let trimming = [alice, bob].map { link.spread("notif:trimming:\(slot / 8_640 + 1)", $0.key.text) }
            for key in keys + trimming {
                #expect(try await link.redis("SCARD", key).integer == Int64(2 / shards))
                #expect(try await link.redis("TTL", key).integer ?? 0 > 3_500)
            }
            let idle = try await link.commands { try await link.run { $0.store.activity.flush() } }
            #expect(idle == [:])
        }
    }
}

extension Reservation {
    /// - Parameter leaseEnd: In milliseconds; 0 is long past.
    static func test(key: String = "k", reservedAt: UInt64 = 0, leaseEnd: UInt64, isFirst: Bool = true) -> Reservation {
        Reservation(key: key, seed: "s", reservedAt: reservedAt, leaseEnd: leaseEnd, isFirst: isFirst)
    }
}
