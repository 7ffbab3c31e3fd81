import CarillonTestSupport
import Testing

/// Notifications for all who have subscribed to a channel, and for everybody.
@Suite("Topics", .pod())
struct TopicTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("what is published is stored once and pushed to all devices of all subscribers, and to nobody else")
    func live() async throws {
        let channel = newChannel()
        let (alice, bob, carol) = (TestUser(), TestUser(), TestUser())
        for user in [alice, bob] { #expect(try await pod.subscribe(user, channel) == [channel]) }
        let devices = [try await pod.device(alice), try await pod.device(alice), try await pod.device(bob)]
        let other = try await pod.device(carol)
        let answer = try await pod.post(publishBody(channel, "7", #","type":"t","data":{"a":1}"#))
        #expect(answer.status == 202)
        #expect(try answer.json["audience"]?["channel"]?.string == channel)
        let id = try answer.json["notification_id"]?.string
        for device in devices {
            let push = try await device.push()
            #expect(push["notification_id"]?.string == id)
            #expect(push["message"]?.string == "7")
            #expect(push["channel"]?.string == channel)
            #expect(push["type"]?.string == "t")
            #expect(push["data"]?["a"] == .number("1"))
            #expect(push["status"]?.string == "unread")
            #expect(push["stream_id"]?.string?.hasSuffix("@\(channel)") == true)
        }
        #expect(try await pod.redis("XLEN", "notif:topic:\(channel)").int == 1)
        #expect(try await pod.redis("TTL", "notif:topic:\(channel)").int ?? 0 > 15 * 86_400)
        #expect(try await other.messages().isEmpty)
    }

    @Test("a device subscribes, for all devices of its user, and ends that")
    func frames() async throws {
        let (user, channel, second) = (TestUser(), newChannel(), newChannel())
        let devices = [try await pod.device(user), try await pod.device(user)]
        try await pod.publish(channel, message: "before")
        try await devices[0].client.send("subscribe", #"{"channels":["\#(channel)","\#(second)","\#(channel)"]}"#)
        for device in devices {
            #expect(try await device.client.expect("subscribe.ack").channels == [channel, second].sorted())
        }
        try await pod.publish(channel, message: "after")
        for device in devices { #expect(try await device.push()["message"]?.string == "after") }
        try await devices[1].client.send("unsubscribe", #"{"channels":["\#(channel)"]}"#)
        for device in devices { #expect(try await device.client.expect("subscribe.ack").channels == [second]) }
        try await pod.publish(channel, message: "too late")
        try await pod.publish(second, message: "second")
        for device in devices { #expect(try await device.push()["message"]?.string == "second") }
    }

    @Test("of what is said in one breath the last word holds")
    func inTurn() async throws {
        let (user, channel) = (TestUser(), newChannel())
        let device = try await pod.device(user)
        for round in 0..<10 {
            let isOn = !round.isMultiple(of: 2)
            for type in isOn ? ["unsubscribe", "subscribe"] : ["subscribe", "unsubscribe"] {
                try await device.client.send(type, #"{"channels":["\#(channel)"]}"#)
            }
            for _ in 0..<2 { _ = try await device.client.first("subscribe.ack") }
            #expect(try await pod.inboxDocument(user, "GET", "/channels").channels == (isOn ? [channel] : []))
        }
    }

    @Test("who unsubscribes while a device is replayed is shown no more of the channel")
    func unsubscribedWhileReplaying() async throws {
        let (user, channel) = (TestUser(), newChannel())
        let other = try await pod.device(user)
        try await pod.subscribe(user, channel)
        try await other.client.expect("subscribe.ack")
        // More than the sockets take, so that the replay stands still.
        let filling = String(repeating: "x", count: 200_000)
        for number in 0..<40 {
            try await pod.publish(channel, message: "\(number) \(filling)")
            try await other.push()
        }
        let narrow = try HTTPConnection(port: pod.server.port, receiveBytes: 32_768)
        let device = try await WireClient.connect(port: pod.server.port, "/ws?\(user.query)", on: narrow)
        try await device.expect("notification.push")
        try await other.client.send("unsubscribe", #"{"channels":["\#(channel)"]}"#)
        try await other.client.expect("subscribe.ack")
        var types: [String] = []
        while types.last != "session.ready" {
            let message = try await device.message()
            types.append(message.type)
            if message.type == "session.ready" { #expect(message.data["unread_count"] == .number("0")) }
        }
        let told = try #require(types.firstIndex(of: "subscribe.ack"))
        #expect(types[told...] == ["subscribe.ack", "session.ready"])
    }

    @Test("a subscription that ended and began anew unheard begins anew here too")
    func renewed() async throws {
        let (user, channel) = (TestUser(), newChannel())
        let first = try await pod.device(user)
        try await pod.subscribe(user, channel)
        try await first.client.expect("subscribe.ack")
        try await pod.publish(channel, message: "before")
        let before = try await first.push()
        // As another pod does it, whose word is lost.
        let id = before["stream_id"]?.string?.split(separator: "@").first.map { String($0) } ?? ""
        try await pod.redis("HSET", "notif:topics:\(user.key)", "sub:\(channel)", id)
        #expect(try await pod.device(user).replay.texts.isEmpty)
        try await pod.publish(channel, message: "after")
        #expect(try await first.push()["message"]?.string == "after")
        #expect(try await pod.device(user).replay.texts == ["after"])
    }

    /// As a device may be that comes from a pod which heard of it earlier.
    @Test("an entry of which the pod has not heard yet can be read, and nobody else's")
    func readUnheard() async throws {
        let (user, channel, id) = (TestUser(), newChannel(), newUUID())
        try await pod.subscribe(user, channel)
        let device = try await pod.device(user)
        try await pod.redis("SET", "notification:\(id)", #"{"message":"unheard"}"#)
        let place = try #require(try await pod.redis("XADD", "notif:topic:\(channel)", "*", "nid", id).string)
        let pair = #"{"notification_id":"\#(id)","stream_id":"\#(place)@\#(channel)"}"#
        try await device.client.send("notification.read", pair)
        #expect(try await device.client.expect("notification.read.ack")["notification_id"]?.string == id)
        #expect(try await pod.redis("HGET", "notif:topics:\(user.key)", "read:\(id)").string != nil)
        let stranger = try await pod.device(TestUser())
        try await stranger.client.send("notification.read", pair)
        #expect(try await stranger.client.expect("error")["code"] == .string("not_found"))
    }

    @Test("who was away gets what came meanwhile, in the order of ids among his own")
    func replay() async throws {
        let (user, channel) = (TestUser(), newChannel())
        try await pod.publish(channel, message: "before")
        try await pod.subscribe(user, channel)
        var texts: [String] = []
        for number in 0..<120 {
            texts.append("\(number)")
            if number % 3 == 0 {
                try await pod.notify(user, message: texts[number])
            } else {
                try await pod.publish(channel, message: texts[number])
            }
        }
        let device = try await pod.device(user)
        // Two streams may have given an id within one millisecond: then the user's own comes first.
        let ids = device.replay.streamIDs.compactMap { EntryID(String($0.prefix { $0 != "@" })) }
        #expect(ids.count == 120 && ids == ids.sorted())
        let all = device.replay.texts
        for rest in 0..<3 { #expect(all.filter { Int($0)! % 3 == rest } == texts.filter { Int($0)! % 3 == rest }) }
        #expect(device.ready["unread_count"] == .number("120"))
        let topicEnd = try #require(device.ready["topics"]?[channel]?.string)
        let since = "\(device.ready["last_stream_id"]?.string ?? ""),\(topicEnd)@\(channel)"
        try await pod.publish(channel, message: "new")
        let again = try await pod.device(user, "&since=\(since)&epoch=\(device.epoch)")
        #expect(again.replay.texts == ["new"])
        // A stream that since does not name is replayed in full.
        let own = try await pod.device(user, "&since=\(topicEnd)@\(channel)")
        #expect(own.replay.texts == texts.enumerated().filter { $0.offset % 3 == 0 }.map(\.element) + ["new"])
        let other = try await pod.device(user, "&since=9999999999999-0@\(channel)&epoch=\(device.epoch)")
        #expect(other.replay.texts == all + ["new"])
    }

    @Test("what has expired is left out, and does not count")
    func expired() async throws {
        let (user, channel) = (TestUser(), newChannel())
        try await pod.subscribe(user, channel)
        let id = try await pod.publish(channel, message: "short")
        try await pod.publish(channel, message: "long")
        try await pod.redis("DEL", "notification:\(id)")
        let device = try await pod.device(user)
        #expect(device.replay.texts == ["long"])
        #expect(device.ready["unread_count"] == .number("1"))
        #expect(try await pod.unreadCount(user) == "1")
    }

    @Test("a read is told to all devices, and stays")
    func read() async throws {
        let (user, other, channel) = (TestUser(), TestUser(), newChannel())
        for user in [user, other] { try await pod.subscribe(user, channel) }
        let devices = [try await pod.device(user), try await pod.device(user)]
        try await pod.publish(channel)
        let push = try await devices[0].push()
        try await devices[0].read(push)
        let ack = try await devices[1].client.first("notification.read.ack")
        #expect(ack["stream_id"] == push["stream_id"])
        let again = try await pod.device(user)
        #expect(again.replay.first?["status"]?.string == "read")
        #expect(again.ready["unread_count"] == .number("0"))
        #expect(try await pod.device(other).ready["unread_count"] == .number("1"))
        let since = "0-0@\(channel)"
        try await devices[0].client.send("notification.read", pair(push["notification_id"]?.string ?? "", since))
        let error = try await devices[0].client.expect("error")
        #expect(error["code"]?.string == "not_found")
        #expect(error["stream_id"]?.string == since)
    }

    @Test("a query's channels are subscribed to on connecting")
    func query() async throws {
        let (user, channels) = (TestUser(), [newChannel(), newChannel()].sorted())
        let client = try await pod.connect(user, "&channels=\(channels.joined(separator: ","))")
        #expect(try await client.first("subscribe.ack").channels == channels)
        try await pod.publish(channels[1], message: "x")
        #expect(try await client.first("notification.push")["message"]?.string == "x")
        #expect(try await pod.inboxDocument(user, "GET", "/channels").channels == channels)
    }

    @Test("an Idempotency-Key publishes once")
    func keyed() async throws {
        let (user, channel, key) = (TestUser(), newChannel(), newUUID())
        try await pod.subscribe(user, channel)
        let device = try await pod.device(user)
        let first = try await pod.publish(channel, key: key)
        #expect(try await pod.publish(channel, key: key) == first)
        #expect(try await device.push()["notification_id"]?.string == first)
        #expect(try await device.messages().isEmpty)
        #expect(try await pod.redis("XLEN", "notif:topic:\(channel)").int == 1)
    }
}
