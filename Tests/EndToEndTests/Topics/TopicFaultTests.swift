import CarillonTestSupport
import Testing

/// What comes to topics while pods die, Redis is away, connections break, or a pod hears of a subscription late.
@Suite("Topics under faults")
struct TopicFaultTests {
    /// The pod learns of a subscription long after it was made: its live devices are given all that came since, in order, and a
    /// device that connects meanwhile has everything once.
    @Test("a pod that hears late of a subscription catches up")
    func lateSubscription() async throws {
        try await TwoPods.with(["STREAM_MAXLEN": "1000"]) { pods in
            let (first, channel) = (pods.first, newChannel())
            try await pods.redis("HSET", "notif:topics:\(pods.user.key)", "sub:\(channel)", "0-0")
            let count = 120
            for number in 0..<count { try await first.publish(channel, message: "\(number)") }
            #expect(try await pods.device.messages().isEmpty)
            let poster = Task {
                for number in count..<count + 60 { try await first.publish(channel, message: "\(number)") }
            }
            try await pods.redis("DEL", pods.bus)
            var later: [Device] = []
            for _ in 0..<5 { later.append(try await pods.second.device(pods.user)) }
            try await poster.value
            let all = (0..<count + 60).map(String.init)
            #expect(try await texts(pods.device, all.count) == all)
            for device in later {
                let replayed = device.replay.texts.filter { $0 != "known" }
                let pushed = try await texts(device, all.count - replayed.count)
                #expect(replayed + pushed == all)
                #expect(try await device.messages().isEmpty)
            }
        }
    }

    /// What the pod fetches for him when he leaves must not reach him any more.
    @Test("who unsubscribes while he is given what he missed is given no more of it")
    func leavesWhileHeCatchesUp() async throws {
        try await Pod.with(["STREAM_MAXLEN": "1000"]) { pod in
            let (user, channel, other) = (TestUser(), newChannel(), newChannel())
            for number in 0..<1_000 {
                let id = newUUID()
                try await pod.redis("SET", "notification:\(id)", #"{"message":"\#(number)"}"#)
                try await pod.redis("XADD", "notif:topic:\(channel)", "*", "nid", id)
            }
            for _ in 0..<5 {
                let device = try await pod.device(user)
                try await pod.redis("HSET", "notif:topics:\(user.key)", "sub:\(channel)", "0-0")
                // The pod hears of the channel with the other one, and begins to catch up.
                try await device.client.send("subscribe", "{\"channels\":[\"\(other)\"]}")
                #expect(try await device.client.first("subscribe.ack").channels.contains(channel))
                try await device.client.send("unsubscribe", "{\"channels\":[\"\(channel)\"]}")
                while try await device.client.first("subscribe.ack").channels.contains(channel) {}
                for _ in 0..<3 { #expect(try await device.messages().isEmpty) }
                try await pod.redis("HDEL", "notif:topics:\(user.key)", "sub:\(other)")
                device.client.drop()
            }
        }
    }

    /// The messages of the next pushes.
    private func texts(_ device: Device, _ count: Int) async throws -> [String] {
        var texts: [String] = []
        while texts.count < count {
            let push = try await device.client.first("notification.push", within: .seconds(20))
            texts.append(push["message"]?.string ?? "")
        }
        return texts
    }

    @Test("a pod dies: who comes back to another one has missed nothing")
    func podDeath() async throws {
        try await TwoPods.with { pods in
            let channel = newChannel()
            try await pods.second.subscribe(pods.user, channel)
            try await pods.first.publish(channel, message: "before")
            let last = try await pods.device.client.first("notification.push")
            #expect(last["message"]?.string == "before")
            pods.second.server.kill()
            var missed: [String] = []
            for number in 0..<10 {
                missed.append("\(number)")
                try await number % 2 == 0
                    ? pods.first.publish(channel, message: missed[number])
                    : pods.first.publish(nil, message: missed[number])
            }
            let since = "\(pods.device.ready["last_stream_id"]?.string ?? ""),\(last["stream_id"]?.string ?? "")"
            let again = try await pods.first.device(pods.user, "&since=\(since)&epoch=\(pods.device.epoch)")
            #expect(again.replay.texts == ["known"] + missed)
            try await pods.first.publish(channel, message: "after")
            #expect(try await again.push()["message"]?.string == "after")
        }
    }

    /// The first pod has read an entry from the stream that nobody announced; the second one has not heard of it.
    @Test("a device that comes to a pod that has heard less than the device gets nothing twice")
    func ahead() async throws {
        try await TwoPods.with { pods in
            let (user, channel) = (TestUser(), newChannel())
            for user in [user, pods.user] { try await pods.second.subscribe(user, channel) }
            try await pods.first.publish(channel, message: "announced")
            #expect(try await texts(pods.device, 1) == ["announced"])
            for number in 0..<3 {
                let id = newUUID()
                try await pods.redis("SET", "notification:\(id)", #"{"message":"silent \#(number)"}"#)
                try await pods.redis("XADD", "notif:topic:\(channel)", "*", "nid", id)
            }
            let silent = (0..<3).map { "silent \($0)" }
            let before = try await pods.first.device(user)
            #expect(before.replay.texts == ["announced"] + silent)
            let since = "\(before.ready["topics"]?[channel]?.string ?? "")@\(channel)"
            let after = try await pods.second.device(user, "&since=\(since)&epoch=\(before.epoch)")
            #expect(after.replay.isEmpty)
            try await pods.second.publish(channel, message: "new")
            #expect(try await after.push()["message"]?.string == "new")
            #expect(try await after.messages().isEmpty)
            #expect(try await texts(pods.device, 4) == silent + ["new"])
        }
    }

    @Test("Redis killed and back: devices stay, those that wait are replayed, and what was missed comes")
    func redisKilled() async throws {
        try await Pod.with(redis: ["--appendonly", "yes", "--appendfsync", "always"]) { pod in
            let (user, channel) = (TestUser(), newChannel())
            try await pod.subscribe(user, channel)
            let device = try await pod.device(user)
            try await pod.publish(channel, message: "before")
            #expect(try await device.push()["message"]?.string == "before")
            pod.redisProcess.kill()
            try await wait(until: "the pod notices") { try await pod.get("/health").status == 503 }
            let waiting = try await pod.connect(user)
            #expect(try await pod.post(publishBody(channel)).status == 503)
            #expect(try await pod.inbox(user, "PUT", "/channels/other").status == 503)
            try await device.client.send("subscribe", #"{"channels":["other"]}"#)
            #expect(try await device.client.expect("error")["code"]?.string == "unavailable")
            try await pod.redisProcess.restart()
            let id = newUUID()
            try await pod.redis("SET", "notification:\(id)", #"{"message":"meanwhile"}"#)
            try await pod.redis("XADD", "notif:topic:\(channel)", "*", "nid", id)
            try await wait(until: "service", within: .seconds(10)) {
                try await pod.post(publishBody(channel, "after")).status == 202
            }
            #expect(try await texts(device, 2) == ["meanwhile", "after"])
            var replayed: [String] = []
            while replayed.last != "after" {
                let push = try await waiting.first("notification.push", within: .seconds(10))
                replayed.append(push["message"]?.string ?? "")
            }
            #expect(replayed == ["before", "meanwhile", "after"])
        }
    }

    /// A browser that is cut off again and again, at any moment, and comes back to either pod with nothing but an event's id.
    @Test("through many reconnects nothing of any stream is missed, and nothing comes twice", arguments: [1, 2])
    func reconnects(podCount: Int) async throws {
        try await Pod.with(["STREAM_MAXLEN": "1000"]) { first in
            let second = podCount == 2 ? try await first.another(["STREAM_MAXLEN": "1000"]) : first
            defer { if podCount == 2 { second.server.kill() } }
            let (user, channel) = (TestUser(), newChannel())
            try await first.subscribe(user, channel)
            let posts = 210
            let poster = Task {
                for number in 0..<posts {
                    let pod = number % 2 == 0 ? first : second
                    switch number % 3 {
                    case 0: try await pod.notify(user, message: "\(number)")
                    case 1: try await pod.publish(channel, message: "\(number)")
                    default: try await pod.publish(nil, message: "\(number)")
                    }
                }
            }
            var generator = SeededGenerator(seed: UInt64(podCount))
            var numbers: [Int] = []
            var (lastEventID, connections) = ("", 0)
            while numbers.count < posts {
                let pod = Bool.random(using: &generator) ? first : second
                let reader = try await pod.stream(user, lastEventID: lastEventID)
                connections += 1
                for _ in 0..<Int.random(in: 0..<12, using: &generator) where numbers.count < posts {
                    let event = try await reader.next()
                    if event.type == "notification.push" {
                        numbers.append(Int(event.data["message"]?.string ?? "") ?? -1)
                    }
                }
                lastEventID = reader.lastEventID
                reader.drop()
            }
            try await poster.value
            for stream in 0..<3 {
                let expected = Array(stride(from: stream, to: posts, by: 3))
                #expect(numbers.filter { $0 % 3 == stream } == expected, "\(connections) connections")
            }
            #expect(try await first.unreadCount(user) == "\(posts)")
        }
    }
}
