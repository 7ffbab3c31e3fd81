import CarillonTestSupport
import Testing

/// Replays of more entries than are fetched at once.
@Suite("Replay in pages", .pod(["TTL_JANITOR_INTERVAL": "1h", "GROUP_MAINTENANCE_INTERVAL": "1h"]))
struct ReplayPageTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// Entries `1-0` to `count-0` of which those up to `read` are read.
    private func store(_ count: Int, read: Int, of user: TestUser) async throws -> [String] {
        let redis = try WireRedis(port: pod.redisProcess.port)
        var ids: [String] = []
        for number in 1...count {
            let id = newUUID()
            try await redis(["SET", "notification:\(id)", "{\"message\":\"\(number)\"}"])
            try await redis(["XADD", user.stream, "\(number)-0", "nid", id])
            if number <= read { try await redis(["HSET", user.state, id, "read"]) }
            ids.append(id)
        }
        return ids
    }

    @Test("entries that are read and expired do not hold up the replay", arguments: [31, 32, 33, 64, 90, 99, 100])
    func readAndExpired(count: Int) async throws {
        let user = TestUser()
        let ids = try await store(100, read: count, of: user)
        for id in ids.prefix(count) { try await pod.redis("DEL", "notification:\(id)") }
        let device = try await pod.device(user)
        #expect(device.replay.texts == (1...100).dropFirst(count).map(String.init))
        #expect(device.ready["last_stream_id"] == .string("100-0"))
    }

    @Test("what is said meanwhile does not mix up the pages")
    func interrupted() async throws {
        let user = TestUser()
        _ = try await store(100, read: 0, of: user)
        for _ in 0..<10 {
            let client = try await pod.connect(user)
            // Each of them is answered at once, between the pages.
            for _ in 0..<20 { try await client.send("no.such.type", "{}") }
            let device = try await Device(client: client)
            #expect(device.replay.texts == (1...100).map(String.init))
            #expect(try await device.messages().count { $0.type == "session.ready" } == 0)
        }
    }

    @Test("acknowledgements of earlier reads do not mix up the pages")
    func afterReads() async throws {
        let user = TestUser()
        _ = try await store(100, read: 20, of: user)
        for _ in 0..<10 {
            let device = try await pod.device(user, "&since=20-0")
            #expect(device.replay.texts == (21...100).map(String.init))
            #expect(try await device.messages().count { $0.type == "session.ready" } == 0)
        }
    }
}
