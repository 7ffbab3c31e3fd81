import CarillonTestSupport
import Testing

/// Clients that ask for much and take nothing of it.
@Suite("Clients that take nothing")
struct UnreadTests {
    /// A user with as much as one can have: 25 MB.
    private func richUser(_ pod: Pod) async throws -> TestUser {
        let user = TestUser()
        let filling = String(repeating: "x", count: 262_144)
        let http = try pod.http()
        for _ in 0..<100 { try await pod.notify(user, message: filling, on: http) }
        return user
    }

    private func deaf(_ count: Int, _ pod: Pod, _ bytes: [UInt8]) async throws -> [HTTPConnection] {
        var connections: [HTTPConnection] = []
        for _ in 0..<count { connections.append(try await pod.opened(bytes, receiveBytes: 4_096)) }
        return connections
    }

    private static func get(_ target: String) -> [UInt8] { Array("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n".utf8) }

    @Test("answers: requests behind them wait in their sockets", arguments: ["/", "/metrics", "/nope", "notify"])
    func answers(target: String) async throws {
        try await Pod.with { pod in
            try await pod.withstands { witness in
                let before = try pod.residentBytes
                let post =
                    "POST /api/v1/notify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                let request = target == "notify" ? Array(post.utf8) : Self.get(target)
                let connections = try await deaf(40, pod, (0..<300).flatMap { _ in request })
                for _ in 0..<50 { try await witness.isServed() }
                #expect(try pod.residentBytes < before + 100 << 20)
                for connection in connections { connection.stream.close() }
            }
        }
    }

    @Test(
        "replays: a device is given no more than a page before it has taken it",
        arguments: ["/ws", "/api/v1/stream"]
    )
    func replays(path: String) async throws {
        try await Pod.with { pod in
            let user = try await richUser(pod)
            try await pod.withstands { witness in
                let before = try pod.residentBytes
                let bytes = path == "/ws" ? pod.handshake(user) : Self.get("\(path)?\(user.query)")
                let connections = try await deaf(20, pod, bytes)
                for _ in 0..<50 { try await witness.isServed() }
                #expect(try pod.residentBytes < before + 80 << 20)
                for connection in connections { connection.stream.close() }
            }
        }
    }

    /// Four while nothing is known of their length, then as many as a page has room for: one.
    @Test("replays: long payloads are not read again for each page")
    func replayReads() async throws {
        try await Pod.with { pod in
            let (user, redis) = (TestUser(), try WireRedis(port: pod.redisProcess.port))
            for _ in 0..<8 { try await pod.notify(user, message: String(repeating: "x", count: 262_144)) }
            let before = try await redis.calls()["get"] ?? 0
            #expect(try await pod.device(user).replay.texts.count == 8)
            #expect(try await redis.calls()["get"] ?? 0 <= before + 16)
        }
    }

    @Test("lists: a hundred long notifications are read a few at a time, and forgotten with their client")
    func lists() async throws {
        try await Pod.with { pod in
            let user = try await richUser(pod)
            try await pod.withstands { witness in
                let connections = try await deaf(3, pod, Self.get("/api/v1/notifications?\(user.query)&limit=100"))
                for _ in 0..<20 { try await witness.isServed() }
                for connection in connections { connection.stream.close() }
            }
        }
    }

    /// What is read for them is let go before they wait, as it is no news.
    @Test("polls of long lists keep nobody from his")
    func longPolls() async throws {
        try await Pod.with { pod in
            let (user, redis) = (TestUser(), try WireRedis(port: pod.redisProcess.port))
            for _ in 0..<5 { try await pod.notify(user, message: String(repeating: "x", count: 70_000)) }
            let target = "/api/v1/notifications?\(user.query)"
            let list = try await pod.http().request("GET", target, within: .seconds(30))
            let before = try await redis.calls()["get"] ?? 0
            let poll =
                "GET \(target)&wait=60 HTTP/1.1\r\nHost: x\r\nIf-None-Match: \(try #require(list["ETag"]))\r\n\r\n"
            var polls: [HTTPConnection] = []
            for _ in 0..<3 { polls.append(try await pod.opened(poll.utf8)) }
            // One more than two may read at once.
            try await wait(until: "all have looked", within: .seconds(30)) {
                try await redis.calls()["get"] ?? 0 >= before + 15
            }
            #expect(try await pod.http().request("GET", target, within: .seconds(30)).body == list.body)
            for poll in polls { poll.stream.reset() }
        }
    }

    @Test("sync answers: each is as long as it may be, and one is made at a time")
    func deafSyncs() async throws {
        try await Pod.with { pod in
            let user = try await richUser(pod)
            try await pod.withstands { witness in
                let before = try pod.residentBytes
                let sync = WireFrame(WireFrame.text, "{\"type\":\"sync.request\",\"data\":{\"limit\":100}}".utf8)
                    .bytes()
                let last = try await lastID(pod, user)
                let connect = String(decoding: pod.handshake(user), as: UTF8.self).replacing(
                    " HTTP/1.1",
                    with: "&since=\(last) HTTP/1.1"
                )
                let connections = try await deaf(8, pod, Array(connect.utf8) + sync + sync + sync)
                for _ in 0..<50 { try await witness.isServed() }
                #expect(try pod.residentBytes < before + 120 << 20)
                for connection in connections { connection.stream.close() }
            }
        }
    }

    @Test("what a sync leaves out can be asked for")
    func syncs() async throws {
        try await Pod.with { pod in
            let user = try await richUser(pod)
            let device = try await pod.device(user, "&since=\(try await lastID(pod, user))")
            var (seen, before): ([String], String) = ([], "")
            while true {
                try await device.client.send("sync.request", "{\"limit\":100\(before)}")
                let part = try await device.client.first("sync.response").array?.streamIDs ?? []
                guard let first = part.first else { break }
                #expect((1...4).contains(part.count))
                seen = part + seen
                before = ",\"before\":\"\(first)\""
            }
            let all = try await pod.redis("XRANGE", user.stream, "-", "+").array.compactMap { $0.array.first?.string }
            #expect(seen == all.suffix(100))
        }
    }

    private func lastID(_ pod: Pod, _ user: TestUser) async throws -> String {
        let last = try await pod.redis("XREVRANGE", user.stream, "+", "-", "COUNT", "1")
        return try #require(last.array.first?.array.first?.string)
    }

    @Test("polls: those who wait without reading hold a place each, and give it back")
    func polls() async throws {
        try await Pod.with { pod in
            try await pod.withstands { witness in
                let user = TestUser()
                let poll = Self.get("/api/v1/notifications?\(user.query)&wait=60")
                let connections = try await deaf(500, pod, poll + poll + poll)
                for _ in 0..<20 { try await witness.isServed() }
                for connection in connections { connection.stream.reset() }
                try await wait(until: "nobody waits any more") {
                    try await pod.redis("EXISTS", "notif:conn:\(user.key)").int == 0
                }
            }
        }
    }
}
