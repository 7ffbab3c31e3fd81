import CarillonTestSupport
import Testing

/// Topics over several pods, and what becomes of them when something is lost.
@Suite("Topics on two pods")
struct TopicPodTests {
    @Test("subscriptions, pushes, reads and withdrawals cross pods")
    func crossing() async throws {
        try await TwoPods.with { pods in
            let channel = newChannel()
            try await pods.first.subscribe(pods.user, channel)
            #expect(try await pods.device.client.first("subscribe.ack").channels == [channel])
            let here = try await pods.first.device(pods.user)
            let id = try await pods.first.publish(channel, message: "one")
            let push = try await pods.device.client.first("notification.push")
            #expect(push["message"]?.string == "one")
            #expect(try await here.push() == push)
            try await pods.device.read(push)
            #expect(try await here.client.first("notification.read.ack")["stream_id"] == push["stream_id"])
            #expect(try await pods.first.http().request("DELETE", "/api/v1/notify/\(id)").status == 200)
            for device in [pods.device, here] {
                #expect(try await device.client.first("inbox.changed")["action"]?.string == "withdraw")
            }
            for number in 0..<20 {
                try await (number % 2 == 0 ? pods.first : pods.second).publish(channel, message: "\(number)")
            }
            for device in [pods.device, here] {
                for number in 0..<20 { #expect(try await device.push()["message"]?.string == "\(number)") }
            }
        }
    }

    @Test("an entry that nobody announced is found by upkeep")
    func silent() async throws {
        try await Pod.with(["UPKEEP_INTERVAL": "1s", "LOCK_TTL": "10s"]) { pod in
            let (user, channel) = (TestUser(), newChannel())
            try await pod.subscribe(user, channel)
            let device = try await pod.device(user)
            for topic in [channel, ""] {
                let id = newUUID()
                try await pod.redis("SET", "notification:\(id)", #"{"message":"by hand"}"#)
                try await pod.redis("XADD", "notif:topic:\(topic)", "*", "nid", id)
                #expect(try await device.push(within: .seconds(10))["notification_id"]?.string == id)
            }
        }
    }

    @Test("a topic whose history went back closes those who were told of it")
    func wiped() async throws {
        try await Pod.with(["UPKEEP_INTERVAL": "1s", "LOCK_TTL": "10s"]) { pod in
            let (user, channel) = (TestUser(), newChannel())
            try await pod.subscribe(user, channel)
            let (device, other) = (try await pod.device(user), try await pod.device(TestUser()))
            try await pod.publish(channel)
            _ = try await device.push()
            try await pod.redis("DEL", "notif:topic:\(channel)")
            #expect(try await device.client.closing(within: .seconds(10)).code == 1012)
            let again = try await pod.device(user)
            try await pod.publish(channel, message: "new")
            #expect(try await again.push()["message"]?.string == "new")
            #expect(try await other.messages().isEmpty)
        }
    }

    @Test("a lost subscription message is made good when the bus is read again")
    func lostBus() async throws {
        try await TwoPods.with { pods in
            let channel = newChannel()
            try await pods.redis(
                "EVAL",
                """
                redis.call('HSET', KEYS[1], 'sub:' .. ARGV[1], '0-0') return 1
                """,
                "1",
                "notif:topics:\(pods.user.key)",
                channel
            )
            try await pods.redis("DEL", pods.bus)
            #expect(try await pods.device.client.first("subscribe.ack", within: .seconds(20)).channels == [channel])
            try await pods.first.publish(channel, message: "x")
            #expect(try await pods.device.client.first("notification.push")["message"]?.string == "x")
        }
    }

    @Test("while Redis is away devices stay; what was published since comes")
    func redisAway() async throws {
        try await Pod.with { pod in
            let (user, channel) = (TestUser(), newChannel())
            try await pod.subscribe(user, channel)
            let device = try await pod.device(user)
            try await pod.publish(channel, message: "1")
            #expect(try await device.push()["message"]?.string == "1")
            try await pod.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            try await wait(until: "a publication is taken", within: .seconds(10)) {
                try await pod.post(publishBody(channel, "2")).status == 202
            }
            #expect(try await device.client.first("notification.push", within: .seconds(10))["message"]?.string == "2")
        }
    }
}
