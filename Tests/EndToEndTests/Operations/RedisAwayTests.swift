import CarillonTestSupport
import Testing

/// Redis goes, and comes back.
@Suite("Redis away", .serialized)
struct RedisAwayTests {
    private static let durable = ["--appendonly", "yes", "--appendfsync", "always"]

    /// Waits until the pod has noticed, then checks that it says so and lives on.
    private func expectAway(_ pod: Pod, _ device: Device) async throws {
        try await wait(until: "health to say so", within: .seconds(15)) { try await pod.get("/health").status == 503 }
        let health = try await pod.get("/health").json
        #expect(health["status"] != .string("healthy"))
        #expect(health["components"]?["redis"]?["status"] != .string("healthy"))
        let answer = try await pod.post(notifyBody([TestUser()], "away"))
        #expect(answer.status == 503)
        #expect(answer["Retry-After"].flatMap { Int($0) } != nil)
        #expect(answer["Content-Type"]?.hasPrefix("application/problem+json") == true)
        #expect(try await pod.get("/live").status == 200)
        #expect(try await pod.get("/ready").status == 503)
        try await device.client.send(WireFrame(WireFrame.ping, [7]))
        while true {
            let frame = try await device.client.frameButPing()
            #expect(frame.opcode != WireFrame.close)
            if frame == WireFrame(WireFrame.pong, [7]) { break }
        }
    }

    /// Posts until one is stored, which must be within five seconds.
    private func expectBack(_ pod: Pod, _ user: TestUser, _ message: String) async throws {
        try await wait(until: "service after Redis's return", within: .seconds(5)) {
            try await pod.post(notifyBody([user], message)).status == 202
        }
    }

    @Test("killed and restarted: 503 meanwhile, then service and what was missed, on the same sockets")
    func restart() async throws {
        try await Pod.with(redis: Self.durable) { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            try await pod.notify(user, message: "before")
            #expect(try await device.push()["message"] == .string("before"))
            pod.redisProcess.kill()
            try await expectAway(pod, device)
            try await pod.redisProcess.restart()
            _ = try await pod.storeByHand(user, message: "meanwhile")
            try await expectBack(pod, user, "after")
            var texts: [String] = []
            while texts.last != "after" {
                texts.append(
                    try await device.client.first("notification.push", within: .seconds(10))["message"]?.string ?? ""
                )
            }
            #expect(texts == ["meanwhile", "after"])
            try await wait(until: "health", within: .seconds(5)) { try await pod.get("/health").status == 200 }
            try await wait(until: "readiness", within: .seconds(10)) { try await pod.get("/ready").status == 200 }
            #expect(try await pod.redis("HEXISTS", "notif:pods:hb", pod.server.podID) == .integer(1))
            #expect(try await pod.redis("EXISTS", "notif:bus:\(pod.server.podID)") == .integer(1))
        }
    }

    @Test("frozen and thawed: requests end in time, then service")
    func pause() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            pod.redisProcess.pause()
            do {
                try await expectAway(pod, device)
            } catch {
                pod.redisProcess.resume()
                throw error
            }
            pod.redisProcess.resume()
            try await expectBack(pod, user, "after")
            while try await device.client.first("notification.push", within: .seconds(10))["message"]
                != .string("after")
            {}
        }
    }

    @Test("wiped: devices come back with 1012 and a full replay")
    func wipe() async throws {
        try await Pod.with(redis: ["--save", "", "--appendonly", "no"]) { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            for number in 1...3 {
                try await pod.notify(user, message: "\(number)")
                _ = try await device.push()
            }
            let last = try await pod.redis("XREVRANGE", user.stream, "+", "-", "COUNT", "1").array[0].array[0].string
            pod.redisProcess.kill()
            try await expectAway(pod, device)
            try await pod.redisProcess.restart()
            #expect(try await device.client.closing(within: .seconds(10)).code == 1012)
            try await expectBack(pod, user, "new world")
            let back = try await pod.device(user, "&since=\(last ?? "")&epoch=\(device.epoch)")
            #expect(back.replay.texts.last == "new world")
            #expect(back.epoch != device.epoch)
        }
    }

    @Test("wiped right after another loss: nobody is told the epoch of the history that has ended", .standalone)
    func wipeSoon() async throws {
        try await Pod.with(redis: ["--save", "", "--appendonly", "no"]) { pod in
            try await pod.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            try await expectBack(pod, TestUser(), "once")
            pod.redisProcess.kill()
            try await pod.redisProcess.restart()
            try await expectBack(pod, TestUser(), "twice")
            let epoch = try await pod.device(TestUser()).epoch
            let info = try #require(try await pod.redis("INFO", "replication").string)
            #expect(info.contains("master_replid:\(epoch)"))
        }
    }

    @Test("the server's connections cut: it takes new ones and loses nothing")
    func cutConnections() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            for number in 1...5 {
                try await pod.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                try await expectBack(pod, user, "\(number)")
            }
            var texts: [String] = []
            while texts.last != "5" {
                texts.append(
                    try await device.client.first("notification.push", within: .seconds(10))["message"]?.string ?? ""
                )
            }
            // A post whose answer was lost may have been stored and was then posted again.
            let order = texts.compactMap { Int($0) }
            #expect(order == order.sorted() && Set(order) == Set(1...5))
        }
    }

    @Test("without Redis at the start the server waits for it")
    func lateRedis() async throws {
        try await Pod.with { pod in
            pod.redisProcess.kill()
            let late = try await ServerProcess.start(redisPort: pod.redisProcess.port)
            defer { late.kill() }
            let http = try HTTPConnection(port: late.port)
            #expect(try await http.request("GET", "/health").status == 503)
            try await pod.redisProcess.restart()
            try await wait(until: "health", within: .seconds(10)) {
                try await HTTPConnection(port: late.port).request("GET", "/health").status == 200
            }
        }
    }
}
