import CarillonTestSupport
import Testing

/// Topics over several pods, what becomes of them when something is lost, and what needs a Redis of its own.
@Suite("Topics on pods of their own")
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

    @Test("everybody")
    func everybody() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            #expect(device.ready["topics"] == nil)
            let id = try await pod.publish(nil, message: "all")
            let push = try await device.push()
            #expect(push["stream_id"]?.string?.hasSuffix("@") == true)
            #expect(push["channel"] == nil)
            let late = try await pod.device(TestUser())
            #expect(late.replay.texts == ["all"])
            #expect(late.ready["topics"]?[""]?.string.map { "\($0)@" } == push["stream_id"]?.string)
            try await device.read(push)
            #expect(try await pod.device(user).ready["unread_count"] == .number("0"))
            #expect(try await pod.inboxIDs(user) == [id])
        }
    }

    @Test("what is known of a topic's notifications is bounded")
    func bounded() async throws {
        try await Pod.with(["STREAM_MAXLEN": "10"]) { pod in
            let (user, channel) = (TestUser(), newChannel())
            try await pod.subscribe(user, channel)
            let device = try await pod.device(user)
            let http = try pod.http()
            for number in 0..<150 {
                let body = publishBody(channel, "m", #","collapse_key":"\#(number)""#)
                #expect(try await pod.post(Array(body.utf8), on: http).status == 202)
                try await device.read(try await device.client.first("notification.push"))
                try await pod.redis("XTRIM", "notif:topic:\(channel)", "MAXLEN", "10")
            }
            _ = try await pod.publish(channel, members: #","collapse_key":"last""#)
            try await wait(until: "what is gone is forgotten") {
                try await pod.redis("HLEN", "notif:topic-receipts:\(channel)").int ?? .max <= 8 * 10 + 4
            }
            #expect(try await pod.unreadCount(user) == "1")
            // 100 for subscriptions, and twice the entries of two topics.
            #expect(try await pod.redis("HLEN", "notif:topics:\(user.key)").int ?? .max <= 100 + 2 * 10 * 2)
        }
    }
}
