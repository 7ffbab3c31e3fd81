import CarillonTestSupport
import Foundation
import Testing

/// Keys go behind the hub's back, one by one or all at once; everything after it flows within five seconds.
///
/// The times are those of the defaults: an upkeep every 20 s finds nothing in time.
@Suite("Deleted keys")
struct DeletedKeyTests {
    @Test("presence of a user")
    func presence() async throws {
        try await TwoPods.with { pods in
            try await pods.redis("DEL", "notif:conn:\(pods.user.key)")
            try await pods.expectFlow()
            #expect(
                try await pods.redis("HEXISTS", "notif:conn:\(pods.user.key)", pods.second.server.podID) == .integer(1)
            )
            #expect(try await pods.second.metric("carillon_presence_restored_total") >= 1)
            try await pods.expectFlow()
            #expect(try await pods.device.messages().isEmpty)
        }
    }

    @Test("presence of a user with devices on both pods: each says it again")
    func presenceOnBothPods() async throws {
        try await TwoPods.with { pods in
            let near = try await pods.first.device(pods.user)
            try await pods.redis("DEL", "notif:conn:\(pods.user.key)")
            try await wait(until: "both pods are named again", within: .seconds(5)) {
                try await pods.redis("HLEN", "notif:conn:\(pods.user.key)") == .integer(2)
            }
            try await pods.expectFlow()
            #expect(try await near.client.messagesUntilNow().map(\.type).contains("notification.push"))
        }
    }

    @Test("the bus of a pod")
    func bus() async throws {
        try await TwoPods.with { pods in
            try await pods.redis("DEL", pods.bus)
            try await pods.expectFlow()
            try await pods.expectFlow()
            #expect(try await pods.device.messages().isEmpty)
        }
    }

    @Test("entries of a pod's bus that it has not read")
    func busEntries() async throws {
        try await TwoPods.with { pods in
            pods.second.server.process.signal(SIGSTOP)
            try await pods.first.notify(pods.user, message: "lost hint")
            try await pods.redis("XTRIM", pods.bus, "MAXLEN", "0")
            try await pods.first.notify(pods.user, message: "heard hint")
            pods.second.server.process.signal(SIGCONT)
            for text in ["lost hint", "heard hint"] {
                #expect(try await pods.device.push(within: .seconds(5))["message"] == .string(text))
            }
            #expect(try await pods.device.messages().isEmpty)
        }
    }

    @Test("the table of heartbeats, and the pods' names")
    func heartbeats() async throws {
        try await TwoPods.with { pods in
            try await pods.redis("DEL", "notif:pods:hb")
            try await pods.redis("DEL", "notif:pod:\(pods.first.server.podID)", "notif:pod:\(pods.second.server.podID)")
            try await pods.expectFlow()
            try await wait(until: "both are in the table again", within: .seconds(5)) {
                try await pods.redis("HLEN", "notif:pods:hb") == .integer(2)
            }
            try await pods.expectFlow()
            #expect(pods.second.server.process.exitStatus == nil)
        }
    }

    @Test("a user's stream, state, lock and payloads: what was there is gone, what follows is pushed")
    func userKeys() async throws {
        try await TwoPods.with { pods in
            for key in [pods.user.lock, pods.user.state, pods.user.stream] {
                try await pods.redis("DEL", key)
                try await pods.expectFlow()
            }
            #expect(try await pods.device.messages().isEmpty)
        }
    }

    @Test("the newest entry alone: the stream is as old as before, and nobody has to come back")
    func newestEntry() async throws {
        try await TwoPods.with(["UPKEEP_INTERVAL": "1s", "LOCK_TTL": "3s"]) { pods in
            let newest = try await pods.redis("XREVRANGE", pods.user.stream, "+", "-").array[0].array[0].string ?? ""
            try await pods.redis("XDEL", pods.user.stream, newest)
            let redis = try WireRedis(port: pods.first.redisProcess.port)
            let before = try await redis.calls()["xinfo|stream"] ?? 0
            try await wait(until: "what is known of the stream was looked at twice") {
                try await redis.calls()["xinfo|stream"] ?? 0 >= before + 2
            }
            try await pods.expectFlow()
            #expect(try await pods.device.messages().isEmpty)
        }
    }

    @Test("all of them: devices are told to come back, and then all is as on a new hub")
    func everything() async throws {
        try await TwoPods.with { pods in
            try await pods.redis("FLUSHALL")
            #expect(try await pods.device.client.closing(within: .seconds(5)).code == 1012)
            let back = try await pods.second.device(
                pods.user,
                "&since=\(pods.device.ready["last_stream_id"]?.string ?? "")"
            )
            #expect(back.replay.isEmpty)
            try await pods.expectFlow(to: back)
            try await wait(until: "both are in the table again", within: .seconds(5)) {
                try await pods.redis("HLEN", "notif:pods:hb") == .integer(2)
            }
            try await pods.expectFlow(to: back)
            #expect(try await back.messages().isEmpty)
        }
    }
}
