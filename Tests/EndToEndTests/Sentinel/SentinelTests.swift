import CarillonTestSupport
import Testing

/// Pods that follow the primary that Sentinels name: one primary, two replicas, three Sentinels, all real.
@Suite("Sentinel")
struct SentinelTests {
    /// Posts until one is taken, and says what was taken and how long it took since the promotion.
    private func serviceReturns(_ pod: Pod, _ user: TestUser, _ message: String) async throws {
        try await wait(until: "a post is taken", within: .seconds(5)) {
            try await pod.post(notifyBody([user], message)).status == 202
        }
    }

    private func promotion(in group: SentinelGroup, from old: RedisProcess) async throws -> RedisProcess {
        try await wait(until: "a replica is promoted", within: .seconds(30)) {
            guard let primary = try await group.primary() else { return false }
            return primary.port != old.port
        }
        return try #require(try await group.primary())
    }

    /// The messages of pushes up to this one.
    private func texts(_ device: Device, upTo last: String) async throws -> [String] {
        var texts: [String] = []
        while texts.last != last {
            texts.append(
                try await device.client.first("notification.push", within: .seconds(15))["message"]?.string ?? ""
            )
        }
        return texts
    }

    @Test(
        "the primary is killed: within five seconds of the promotion the pod serves, and devices stay or come back whole"
    )
    func killed() async throws {
        try await Pod.with(group: try await SentinelGroup.start()) { pod, group in
            let user = TestUser()
            for number in 0..<5 { try await pod.notify(user, message: "\(number)") }
            // All of it is on the replicas.
            try await group.servers[0].isReplicated(to: Array(group.servers.dropFirst()))
            let old = group.servers[0]
            old.kill()
            let new = try await promotion(in: group, from: old)
            try await serviceReturns(pod, user, "after")
            let device = try await pod.device(user)
            #expect(device.replay.texts == (0..<5).map(String.init) + ["after"])
            try await pod.notify(user, message: "live")
            #expect(try await device.push()["message"]?.string == "live")
            #expect(try await WireRedis(port: new.port)(["XLEN", user.stream]).int == 7)
            try await old.restart()
            try await wait(until: "the old primary is a replica", within: .seconds(30)) {
                try await WireRedis(port: old.port)(["ROLE"]).array.first?.string == "slave"
            }
            try await pod.notify(user, message: "still")
            #expect(try await device.push()["message"]?.string == "still")
        }
    }

    @Test("the primary stands still: its connections are given up, and when it wakes nobody writes to it")
    func stopped() async throws {
        try await Pod.with(group: try await SentinelGroup.start(), ["REDIS_COMMAND_TIMEOUT": "2s"]) { pod, group in
            let user = TestUser()
            try await pod.notify(user, message: "before")
            let old = group.servers[0]
            try await old.isReplicated(to: Array(group.servers.dropFirst()))
            old.pause()
            _ = try await promotion(in: group, from: old)
            try await serviceReturns(pod, user, "after")
            old.resume()
            let device = try await pod.device(user)
            #expect(device.replay.texts == ["before", "after"])
            for number in 0..<20 { try await pod.notify(user, message: "\(number)") }
            #expect(try await texts(device, upTo: "19") == (0..<20).map(String.init))
        }
    }

    @Test("a fail-over by hand loses nothing that was answered 202, and every device has it once")
    func byHand() async throws {
        try await Pod.with(group: try await SentinelGroup.start()) { pod, group in
            let user = TestUser()
            let device = try await pod.device(user)
            var accepted: [String] = []
            let old = group.servers[0]
            for number in 0..<200 {
                if number == 20 {
                    _ = try await WireRedis(port: group.sentinels[0].port)(["SENTINEL", "FAILOVER", "mymaster"])
                }
                if try await pod.post(notifyBody([user], "\(number)")).status == 202 { accepted.append("\(number)") }
            }
            _ = try await promotion(in: group, from: old)
            try await serviceReturns(pod, user, "last")
            let stored = try await pod.inboxIDs(user, "&limit=100").count
            #expect(stored > 0)
            // Ids may have gone back: then the device is sent away, and the next one has it all.
            let again = try await pod.device(user)
            #expect(Set(again.replay.texts).isSuperset(of: accepted.suffix(99)))
            _ = device
        }
    }

    @Test("without Sentinels a pod goes on with the primary that it knows")
    func withoutSentinels() async throws {
        try await Pod.with(group: try await SentinelGroup.start()) { pod, group in
            let user = TestUser()
            let device = try await pod.device(user)
            for sentinel in group.sentinels { sentinel.kill() }
            for number in 0..<20 {
                try await pod.notify(user, message: "\(number)")
                #expect(try await device.push()["message"]?.string == "\(number)")
            }
            #expect(try await pod.get("/ready").status == 200)
        }
    }

    @Test("Sentinels and a Redis with passwords of their own")
    func passwords() async throws {
        try await Pod.with(group: try await SentinelGroup.start(password: "secret")) { pod, group in
            let user = TestUser()
            try await pod.notify(user, message: "x")
            #expect(try await pod.device(user).replay.texts == ["x"])
            #expect(group.sentinels.count == 3)
        }
    }
}
