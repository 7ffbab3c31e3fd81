import CarillonTestSupport
import Foundation
import Testing

/// What devices of `notifications.v1+json` are given on connecting, and what they ask for.
@Suite("Missed notifications", .pod(["GROUP_MAINTENANCE_INTERVAL": "10m"]))
struct MissedNotificationTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("a device that comes is given what there is, and what it missed when it comes back")
    func replay() async throws {
        let user = TestUser()
        let id = try #require(try await pod.notify(user, message: "1").first)
        try await pod.notify(user, message: "2")
        try await pod.inboxDocument(user, "PUT", "/\(id)/read")
        let device = try await pod.notificationsDevice(user)
        let first = try await device.notification("read")
        #expect(first["id"]?.string == id)
        let last = try await device.notification()
        #expect(last["message"]?.string == "2")
        device.client.drop()

        let since = try await pod.inboxDocument(user)["notifications"]?[0]?["stream_id"]?.string
        try await pod.notify(user, message: "3")
        let again = try await pod.notificationsDevice(user, "&since=\(try #require(since))")
        try await again.status("read", of: id)
        #expect(try await again.messages().notifications == ["3"])
    }

    @Test("a device that comes back asks with the time of its last one")
    func reconnect() async throws {
        let (user, channel) = (TestUser(), newChannel())
        try await pod.subscribe(user, channel)
        let device = try await pod.notificationsDevice(user)
        try await pod.notify(user, message: "old")
        _ = try await device.notification()
        try await pod.notify(user, message: "last")
        let time = try #require(try await device.notification()["timestamp"]?.string)
        device.client.drop()
        for number in 0..<40 {
            if number % 2 == 0 {
                try await pod.notify(user, message: "\(number)")
            } else {
                try await pod.publish(channel, message: "\(number)")
            }
        }
        let again = try await pod.notificationsDevice(user)
        _ = try await again.messages()
        try await again.requestMissed(since: "\"\(time)\"")
        var heard: [String] = []
        while !heard.contains("38") || !heard.contains("39") {
            heard += [try await again.client.message()].notifications
        }
        // The one before may have come in the same millisecond.
        let told = heard.drop { $0 == "old" }
        #expect(told.first == "last")
        #expect(told.dropFirst().compactMap { Int($0) }.filter { $0 % 2 == 0 } == Array(stride(from: 0, to: 40, by: 2)))
        #expect(told.dropFirst().compactMap { Int($0) }.filter { $0 % 2 == 1 } == Array(stride(from: 1, to: 40, by: 2)))
    }

    @Test("times, milliseconds and stream ids are taken, and without any all is given")
    func positions() async throws {
        let user = TestUser()
        let start = (Int(Date().timeIntervalSince1970) - 100) * 1_000
        for (id, message) in [("1000-0", "a"), ("2000-0", "b"), ("2000-1", "c"), ("3000-0", "d")] {
            let parts = id.split(separator: "-").compactMap { Int($0) }
            _ = try await pod.storeByHand(user, id: "\(start + parts[0])-\(parts[1])", message: message)
        }
        let device = try await pod.notificationsDevice(user)
        #expect(try await device.messages().notifications == ["a", "b", "c", "d"])
        let time = Date(timeIntervalSince1970: Double(start / 1_000 + 2)).ISO8601Format()
        for (since, wanted) in [
            (nil, "abcd"), ("null", "abcd"), ("0", "abcd"), ("\(start + 1000)", "abcd"), ("\(start + 1001)", "bcd"),
            ("\(start + 2000)", "bcd"), ("\"\(start + 2000)\"", "bcd"), ("\"\(time)\"", "bcd"),
            ("\"\(start + 2000)-0\"", "cd"), ("\"\(start + 2000)-1\"", "d"), ("\"\(start + 3000)-0\"", ""),
            ("\(start + 3001)", ""),
        ] {
            try await device.requestMissed(since: since)
            for message in wanted { #expect(try await device.notification()["message"]?.string == String(message)) }
        }
        #expect(try await device.messages().isEmpty)
    }

    @Test("what expired or is gone is left out, and what was read says so")
    func states() async throws {
        let user = TestUser()
        let device = try await pod.notificationsDevice(user)
        var ids: [String] = []
        for number in 0..<4 {
            ids += try await pod.notify(user, message: "\(number)")
            _ = try await device.notification()
        }
        try await device.acknowledge(ids[1])
        try await device.status("read", of: ids[1])
        try await pod.redis("DEL", "notification:\(ids[0])")
        try await pod.inboxDocument(user, "DELETE", "/\(ids[2])")
        try await device.status("deleted", of: ids[2])
        try await device.requestMissed(since: nil)
        #expect(try await device.notification("read")["id"]?.string == ids[1])
        #expect(try await device.notification()["id"]?.string == ids[3])
        // An answer clears nothing.
        #expect(try await pod.redis("XLEN", user.stream).int == 3)
    }

    @Test("pages of which nothing is left are passed over")
    func emptyPages() async throws {
        let user = TestUser()
        var ids: [String] = []
        for number in 0..<70 { ids += try await pod.notify(user, message: "\(number)") }
        let device = try await pod.notificationsDevice(user)
        #expect(try await device.messages().notifications.count == 70)
        for id in ids.dropLast(2) { try await pod.redis("DEL", "notification:\(id)") }
        try await device.requestMissed(since: nil)
        for number in 68..<70 { #expect(try await device.notification()["message"]?.string == "\(number)") }
        try await device.requestMissed(since: "\"\(Int64.max)-0\"")
        try await device.requestMissed(since: nil)
        #expect(try await device.notification()["message"]?.string == "68")
    }

    @Test("who leaves in the middle of an answer harms nobody")
    func leaving() async throws {
        let user = TestUser()
        for number in 0..<40 { try await pod.notify(user, message: "\(number)") }
        for _ in 0..<20 {
            let device = try await pod.notificationsDevice(user)
            for _ in 0..<5 { try await device.requestMissed(since: nil) }
            _ = try await device.client.message()
            device.client.drop()
        }
        try await wait(until: "all have left") { try await pod.redis("EXISTS", "notif:conn:\(user.key)").int == 0 }
        let device = try await pod.notificationsDevice(user)
        #expect(try await device.messages().notifications.count == 40)
    }
}

/// The same over several pods.
@Suite("Subprotocol on two pods")
struct SubprotocolPodTests {
    @Test("pushes, reads and subscriptions cross pods; what was missed is had on any")
    func crossing() async throws {
        try await TwoPods.with { pods in
            let channel = newChannel()
            let device = try await pods.first.notificationsDevice(pods.user)
            let time = try #require(try await device.notification()["timestamp"]?.string)
            _ = try await device.messages()
            let id = try #require(try await pods.second.notify(pods.user, message: "one").first)
            #expect(try await device.notification()["id"]?.string == id)
            let push = try await pods.device.push()
            try await device.acknowledge(id)
            try await device.status("read", of: id)
            #expect(try await pods.device.client.expect("notification.read.ack")["stream_id"] == push["stream_id"])

            try await device.client.send("subscribe", "{\"channels\":[\"\(channel)\"]}")
            #expect(try await pods.device.client.expect("subscribe.ack").channels == [channel])
            let published = try await pods.second.publish(channel, message: "two")
            #expect(try await device.notification()["id"]?.string == published)
            try await pods.device.read(try await pods.device.push())
            try await device.status("read", of: published)

            device.client.drop()
            try await pods.first.notify(pods.user, message: "three")
            let again = try await pods.second.notificationsDevice(pods.user)
            #expect(try await again.messages().notifications == ["known", "one", "two", "three"])
            try await again.requestMissed(since: "\"\(time)\"")
            for (message, status) in [("known", "delivered"), ("one", "read"), ("two", "read"), ("three", "delivered")]
            {
                #expect(try await again.notification(status)["message"]?.string == message)
            }
        }
    }

    @Test("what is asked before the replay is over waits for it, 256 requests at most")
    func early() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let id = try #require(try await pod.notify(user).first)
            pod.redisProcess.pause()
            let device = try await pod.notificationsDevice(user)
            try await device.acknowledge(id)
            for _ in 0..<255 { try await device.requestMissed(since: nil) }
            try await device.client.send("nonsense", "{}")
            #expect(try await device.client.expect("error")["code"]?.string == "unknown_type")
            try await device.requestMissed(since: nil)
            let error = try await device.client.expect("error")
            #expect(error["code"]?.string == "busy")
            #expect(error["type"]?.string == "requestMissedNotifications")
            pod.redisProcess.resume()
            var heard: [WireMessage] = []
            while heard.notifications.count < 256 {
                heard.append(try await device.client.message(within: .seconds(20)))
            }
            #expect(heard.statuses.prefix(2).contains("delivered"))
            #expect(heard.statuses.contains("read"))
        }
    }

    @Test("while Redis is away requests are refused")
    func redisAway() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let device = try await pod.notificationsDevice(user)
            let id = try #require(try await pod.notify(user, message: "1").first)
            _ = try await device.notification()
            pod.redisProcess.kill()
            for type in ["ack", "requestMissedNotifications"] {
                try await wait(until: "Redis is gone") {
                    try await device.client.send(type, "{\"notificationId\":\"\(id)\"}")
                    let heard = try await device.client.message()
                    return heard.type == "error" && heard.data["code"]?.string == "unavailable"
                        && heard.data["type"]?.string == type
                }
            }
        }
    }
}
