import CarillonTestSupport
import Testing

/// Redis answers, but not as it should: it takes no writes, or is still loading. Connections stay, so nothing but the refusals
/// tells a pod that something passed it by. Upkeep is slower than the tests.
@Suite("Redis refuses")
struct RedisRefusesTests {
    private static let slow = ["UPKEEP_INTERVAL": "240s", "LOCK_TTL": "600s"]

    /// How Redis is made to refuse writes, and how to take them again.
    enum Refusal: String, CaseIterable {
        case outOfMemory
        case readOnly
        case tooFewReplicas

        var begin: [[String]] {
            switch self {
            case .outOfMemory: [["CONFIG", "SET", "maxmemory", "1"]]
            case .readOnly: [["REPLICAOF", "127.0.0.1", "1"]]
            case .tooFewReplicas: [["CONFIG", "SET", "min-replicas-to-write", "1"]]
            }
        }

        var end: [[String]] {
            switch self {
            case .outOfMemory: [["CONFIG", "SET", "maxmemory", "0"]]
            case .readOnly: [["REPLICAOF", "NO", "ONE"]]
            case .tooFewReplicas: [["CONFIG", "SET", "min-replicas-to-write", "0"]]
            }
        }
    }

    private func say(_ commands: [[String]], _ pod: Pod) async throws {
        let redis = try WireRedis(port: pod.redisProcess.port)
        for command in commands { try await redis(command) }
    }

    @Test(
        "writes: 503 with Retry-After, sockets stay; then everything flows between pods",
        .standalone,
        arguments: Refusal.allCases
    )
    func writes(refusal: Refusal) async throws {
        try await Pod.with(Self.slow) { first in
            let second = try await first.another(Self.slow)
            defer { second.server.kill() }
            let (before, during) = (TestUser(), TestUser())
            let device = try await second.device(before)
            try await first.notify(before, message: "known")
            #expect(try await device.push(within: .seconds(8))["message"] == .string("known"))

            try await say(refusal.begin, first)
            let answer = try await first.post(notifyBody([before], "refused"))
            #expect(answer.status == 503, "\(answer.text)")
            #expect(answer["Retry-After"] != nil)
            try await wait(until: "both pods say so", within: .seconds(5)) {
                for pod in [first, second] where try await pod.get("/ready").status != 503 { return false }
                return true
            }
            #expect(try await first.get("/live").status == 200)
            // Redis does not take its presence, so other pods cannot know of it.
            let late = try await second.device(during)
            #expect(late.replay.isEmpty)

            try await say(refusal.end, first)
            try await wait(until: "service", within: .seconds(5)) {
                try await first.post(notifyBody([during], "back")).status == 202
            }
            #expect(try await late.push(within: .seconds(6))["message"] == .string("back"))
            try await first.notify(before, message: "both")
            #expect(try await device.push(within: .seconds(6))["message"] == .string("both"))
            #expect(try await device.messages().isEmpty)
            try await wait(until: "readiness", within: .seconds(5)) {
                for pod in [first, second] where try await pod.get("/ready").status != 200 { return false }
                return true
            }
            #expect(try await first.metric("carillon_takeovers_total") == 0)
        }
    }

    @Test(
        "a Redis that loads for seconds: what was stored meanwhile reaches the sockets once it has loaded",
        .standalone
    )
    func loading() async throws {
        // Microseconds that each key takes to load, so that it takes some seconds.
        let slowLoad = ["--appendonly", "yes", "--appendfsync", "always", "--key-load-delay", "100"]
        try await Pod.with(Self.slow, redis: slowLoad) { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            try await pod.notify(user, message: "before")
            #expect(try await device.push()["message"] == .string("before"))
            let redis = try WireRedis(port: pod.redisProcess.port)
            for _ in 0..<20_000 { try await redis(["SET", "filler:\(Int.random(in: 0..<1_000_000))", "x"]) }
            pod.redisProcess.kill()
            try await pod.redisProcess.restart()
            _ = try await pod.storeByHand(user, message: "meanwhile")
            #expect(try await device.push(within: .seconds(6))["message"] == .string("meanwhile"))
            try await wait(until: "service", within: .seconds(5)) {
                try await pod.post(notifyBody([user], "after")).status == 202
            }
            #expect(try await device.push()["message"] == .string("after"))
        }
    }
}
