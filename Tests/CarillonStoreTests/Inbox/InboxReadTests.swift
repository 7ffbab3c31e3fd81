import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import NIOCore
import Testing

@testable import CarillonStore

@Suite struct InboxReadTests {
    private let alice = User.test(1, "alice")

    private func read(_ link: StoreLink, _ range: InboxRange) async throws -> InboxPart {
        let result: Result<InboxPart, StoreError> = try await link.call { parts, completion in
            parts.store.read(range, of: alice.key, completion: completion)
        }
        return try result.get()
    }

    private func numbers(_ link: StoreLink, _ range: InboxRange) async throws -> [UInt64] {
        try await read(link, range).entries.map(\.id.milliseconds)
    }

    private func id(_ number: UInt64) -> StreamID { StreamID(milliseconds: number, sequence: 0) }

    @Test func ranges() async throws {
        try await StoreLink.with { link in
            for number in 1...6 { try await link.add(alice, "n\(number)", id: "\(number)-0") }
            #expect(try await numbers(link, .newest(count: 100)) == [1, 2, 3, 4, 5, 6])
            #expect(try await numbers(link, .newest(count: 2)) == [5, 6])
            #expect(try await numbers(link, .after(id(4), count: 100)) == [5, 6])
            #expect(try await numbers(link, .after(id(0), count: 2)) == [1, 2])
            #expect(try await numbers(link, .after(id(6), count: 100)) == [])
            #expect(try await numbers(link, .after(StreamID("4-5")!, count: 1)) == [5])
            #expect(try await numbers(link, .between(since: nil, before: nil, count: 3)) == [4, 5, 6])
            #expect(try await numbers(link, .between(since: id(2), before: nil, count: 100)) == [3, 4, 5, 6])
            #expect(try await numbers(link, .between(since: nil, before: id(4), count: 2)) == [2, 3])
            #expect(try await numbers(link, .between(since: id(2), before: id(5), count: 100)) == [3, 4])
            #expect(try await numbers(link, .between(since: id(5), before: id(2), count: 100)) == [])
            #expect(try await numbers(link, .between(since: id(3), before: id(4), count: 100)) == [])
        }
    }

    @Test func theStreamIsReadWithItsState() async throws {
        try await StoreLink.with { link in
            for number in 1...3 { try await link.add(alice, "n\(number)") }
            try await link.redis("XADD", "stream:user:1-alice", "*", "other", "x")
            try await link.redis("XADD", "stream:user:1-alice", "*", "a", "b", "nid", "n5")
            try await link.redis(
                "HSET",
                "notification_state:1-alice",
                "n1",
                "read",
                "n2",
                "seen",
                "n5",
                "read",
                "gone",
                "read"
            )
            let commands = try await link.commands {
                let part = try await read(link, .newest(count: 100))
                #expect(part.entries.map(\.notificationID?.text) == ["n1", "n2", "n3", nil, "n5"])
                #expect(part.entries.map(part.isRead) == [true, false, false, false, true])
            }
            // In a cluster an EXISTS says that presence was written before.
            #expect(
                commands == ["xrevrange": 1, "hgetall": 2].merging(link.client.isSharded ? ["exists": 1] : [:]) { $1 }
            )
        }
    }

    @Test(arguments: ["stream:user:1-alice", "notification_state:1-alice"])
    func aKeyOfTheWrongTypeIsRefused(key: String) async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", key, "x")
            let error = await #expect(throws: StoreError.self) { try await read(link, .newest(count: 1)) }
            #expect(error?.code == .refused)
            #expect(error?.detail.hasPrefix("WRONGTYPE") == true)
        }
    }

    @Test func redisAway() async throws {
        try await StoreLink.with { link in
            await link.process.stop()
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await !link.run { $0.connection.isReady }
            }
            let error = await #expect(throws: StoreError.self) { try await read(link, .newest(count: 1)) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func lastGeneratedIDs() async throws {
        try await StoreLink.with { link in
            func last() async throws -> StreamID? {
                let result: Result<StreamID?, StoreError> = try await link.call { parts, completion in
                    parts.store.lastGeneratedID(of: alice.key, completion: completion)
                }
                return try result.get()
            }
            #expect(try await last() == nil)
            try await link.createGroup(alice)
            #expect(try await last() == .zero)
            try await link.add(alice, "n", id: "7-1")
            try await link.redis("XDEL", "stream:user:1-alice", "7-1")
            #expect(try await last() == StreamID("7-1"))
            try await link.redis("DEL", "stream:user:1-alice")
            try await link.redis("SET", "stream:user:1-alice", "x")
            await #expect(throws: StoreError.self) { try await last() }
        }
    }

    @Test func payloads() async throws {
        try await StoreLink.with { link in
            func payloads(_ ids: String...) async throws -> [String?] {
                let result: Result<[ByteBuffer?], StoreError> = try await link.call { parts, completion in
                    parts.store.payloads(of: ids.map(NotificationID.init), completion: completion)
                }
                return try result.get().map { $0.map { String(buffer: $0) } }
            }
            try await link.redis("SET", "notification:a", "A")
            try await link.redis("SET", "notification:empty", "")
            try await link.redis("HSET", "notification:wrong", "x", "y")
            #expect(try await payloads("a", "missing", "wrong", "empty", "a") == ["A", nil, nil, "", "A"])
            #expect(try await payloads("wrong") == [nil])
            #expect(try await payloads() == [])
            await link.process.stop()
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await !link.run { $0.connection.isReady }
            }
            await #expect(throws: StoreError.self) { try await payloads("a", "b") }
        }
    }
}
