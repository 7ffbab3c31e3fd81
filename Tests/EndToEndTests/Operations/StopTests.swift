import CarillonTestSupport
import Testing

/// SIGTERM, and two pods of one name.
@Suite("Stopping", .serialized)
struct StopTests {
    @Test("SIGTERM: devices are told to come back, everything is released, exit 0")
    func drain() async throws {
        try await Pod.with { pod in
            var devices: [Device] = []
            for _ in 0..<5 { devices.append(try await pod.device(TestUser())) }
            try await wait(until: "all locks are taken") {
                try await pod.redis("KEYS", "notif:lock:*").array.count == 5
            }
            async let status = pod.server.terminate(within: .seconds(15))
            for device in devices {
                let (code, reason) = try await device.client.closing(within: .seconds(15))
                #expect(code == 1001)
                #expect(!reason.isEmpty)
            }
            #expect(try await status == 0)
            #expect(try await pod.redis("KEYS", "notif:lock:*").array.isEmpty)
            #expect(try await pod.redis("KEYS", "notif:conn:*").array.isEmpty)
            #expect(try await pod.redis("EXISTS", "notif:bus:\(pod.server.podID)") == .integer(0))
            #expect(try await pod.redis("EXISTS", "notif:clients:\(pod.server.podID)") == .integer(0))
            #expect(try await pod.redis("HEXISTS", "notif:pods:hb", pod.server.podID) == .integer(0))
        }
    }

    @Test("SIGTERM while Redis comes up: the pod ends in order, exit 0")
    func stopsWhileItStarts() async throws {
        let redis = try await RedisProcess.start()
        redis.pause()
        let server = try await ServerProcess.start(redisPort: redis.port)
        let http = try HTTPConnection(port: server.port)
        server.process.signal(15)
        try await wait(until: "the shutdown begins") { try await http.request("GET", "/live")["Connection"] == "close" }
        redis.resume()
        #expect(try await server.process.exit() == 0, "\(server.output)")
        await redis.stop()
    }

    @Test("SIGTERM while the janitor has far more to do than there is time: it stops behind the user it is at, exit 0")
    func stopsWhileItCleans() async throws {
        try await Pod.with(["TTL_JANITOR_INTERVAL": "1s", "DRAIN_SECONDS": "0"]) { pod in
            let now = try #require(try await pod.redis("TIME").array.first?.int)
            let queue = "notif:expired:\(now / 10)"
            let redis = try WireRedis(port: pod.redisProcess.port)
            for start in stride(from: 0, to: 100_000, by: 1_000) {
                try await redis(["SADD", queue] + (start..<start + 1_000).map { "\($0)-gone" })
            }
            try await wait(until: "the janitor is at work") { try await redis(["SCARD", queue]).int != 100_000 }
            #expect(try await pod.server.terminate(within: .seconds(15)) == 0, "\(pod.server.output)")
            #expect(try await redis(["SCARD", queue]).int ?? 0 > 10_000)
        }
    }

    @Test("SIGINT ends it as well")
    func interrupt() async throws {
        try await Pod.with { pod in
            pod.server.process.signal(2)
            let status = try await pod.server.process.exit(within: .seconds(15))
            #expect(status == 0)
        }
    }

    @Test("the drain's length is a setting", arguments: ["0", "1"])
    func drainSeconds(seconds: String) async throws {
        try await Pod.with(["DRAIN_SECONDS": seconds]) { pod in
            let device = try await pod.device(TestUser())
            async let status = pod.server.terminate()
            #expect(try await device.client.closing(within: .seconds(10)).code == 1001)
            #expect(try await status == 0)
        }
    }

    @Test("the sockets go one after the other over DRAIN_SECONDS, each told when to come back")
    func drainIsSpread() async throws {
        try await Pod.with(["DRAIN_SECONDS": "3"]) { pod in
            var clients: [WireClient] = []
            for _ in 0..<20 { clients.append(try await pod.device(TestUser()).client) }
            pod.server.process.signal(15)
            let began = ContinuousClock.now
            var closings: [Duration] = []
            var hints: [Int] = []
            while !clients.isEmpty {
                for index in clients.indices.reversed() {
                    guard let closing = try? await clients[index].closing(within: .milliseconds(1)) else { continue }
                    closings.append(ContinuousClock.now - began)
                    #expect(closing.code == 1001)
                    let hint = closing.reason.firstMatch(of: /([0-9]+) ms/)
                    hints.append(try #require(hint.flatMap { Int($0.1) }, "no hint in '\(closing.reason)'"))
                    clients.remove(at: index)
                }
                try #require(ContinuousClock.now - began < .seconds(12), "\(clients.count) devices are left open")
            }
            let (first, last) = (closings.min() ?? .zero, closings.max() ?? .zero)
            #expect(last - first > .seconds(1), "\(closings)")
            #expect(hints.allSatisfy { (1...60_000).contains($0) })
            #expect(Set(hints).count > 1, "all come back at once")
            #expect(try await pod.server.process.exit(within: .seconds(12)) == 0)
        }
    }

    @Test("what was answered 202 while it stopped is stored")
    func postsWhileStopping() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let stored = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var stored = 0
                        while let http = try? pod.http() {
                            let body = Array(notifyBody([user], "late").utf8)
                            guard let answer = try? await pod.post(body, on: http) else { break }
                            guard answer.status == 202 else { break }
                            stored += 1
                        }
                        return stored
                    }
                }
                try await wait(until: "posts flow") { try await pod.redis("XLEN", user.stream).int ?? 0 > 20 }
                #expect(try await pod.server.terminate() == 0)
                return try await group.reduce(0, +)
            }
            let added = try await pod.redis("XINFO", "STREAM", user.stream).pairs["entries-added"]?.int ?? 0
            #expect(stored > 20 && added >= stored)
        }
    }

    @Test("a pod with the name of another one takes its place; the older exits and releases nothing")
    func sameName() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let older = try await pod.device(user)
            let name = pod.server.podID
            let newer = try await ServerProcess.start(redisPort: pod.redisProcess.port, podID: name)
            defer { newer.kill() }
            let status = try await pod.server.process.exit(within: .seconds(15))
            #expect(status > 0)
            let output = pod.server.output.split(separator: "\n")
            #expect(output.contains { $0.contains(name) && $0.lowercased().contains(/pod.?id/) }, "\(output.suffix(5))")
            _ = try? await older.client.closing()
            #expect(newer.process.exitStatus == nil)
            #expect(try await pod.redis("EXISTS", "notif:bus:\(name)") == .integer(1))
            #expect(try await pod.redis("HEXISTS", "notif:pods:hb", name) == .integer(1))
            let client = try await WireClient.connect(port: newer.port, "/ws?\(user.query)")
            _ = try await client.first("session.ready")
            let body = Array(notifyBody([user], "newer").utf8)
            let headers = [("Content-Type", "application/json")]
            let http = try HTTPConnection(port: newer.port)
            #expect(try await http.request("POST", "/api/v1/notify", headers: headers, body: body).status == 202)
            #expect(try await client.first("notification.push")["message"] == .string("newer"))
        }
    }

    @Test("a pod that is restarted under its name serves its users at once")
    func restarted() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            _ = try await pod.device(user)
            pod.server.kill()
            let again = try await ServerProcess.start(redisPort: pod.redisProcess.port, podID: pod.server.podID)
            defer { again.kill() }
            let client = try await WireClient.connect(port: again.port, "/ws?\(user.query)")
            _ = try await client.first("session.ready")
            _ = try await pod.storeByHand(user, message: "not lost")
            let back = try await WireClient.connect(port: again.port, "/ws?\(user.query)")
            #expect(try await back.expect("notification.push")["message"] == .string("not lost"))
        }
    }
}
