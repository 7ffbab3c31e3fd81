import CarillonTestSupport
import Foundation
import Testing

/// Topics' notifications in the inbox, and what senders are told of them.
@Suite("Topics in the inbox", .pod())
struct TopicInboxTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("every verb, told to all devices of the user and to nobody else", .timeLimit(.minutes(1)))
    func verbs() async throws {
        let (user, other, channel) = (TestUser(), TestUser(), newChannel())
        for user in [user, other] { try await pod.subscribe(user, channel) }
        let (device, bystander) = (try await pod.device(user), try await pod.device(other))
        let id = try await pod.publish(channel)
        let place = try #require(try await device.push()["stream_id"]?.string)
        _ = try await bystander.push()
        let item = try await pod.inboxDocument(user, "GET", "/\(id)")
        #expect(item["stream_id"]?.string == place)
        #expect(item["channel"]?.string == channel)
        #expect(item["status"]?.string == "pending")
        for (verb, count, member) in [
            ("seen", "1", "seen_at"), ("read", "0", "read_at"), ("unread", "1", nil), ("archive", "0", "archived_at"),
            ("unarchive", "1", nil), ("snooze", "0", "snoozed_until"), ("unsnooze", "1", nil),
        ] as [(String, String, String?)] {
            let body = verb == "snooze" ? #"{"until":"\#(later(60))"}"# : nil
            let state = try await pod.inboxDocument(user, "PUT", "/\(id)/\(verb)", body: body)
            #expect(state["unread_count"] == .number(count), "\(verb)")
            #expect(state["stream_id"]?.string == place)
            if let member { #expect(state[member]?.string != nil, "\(verb)") }
            let change = try await device.client.first("inbox.changed")
            #expect(change["action"]?.string == verb)
            #expect(change["notifications"]?.array?.first?["stream_id"]?.string == place)
            #expect(change["unread_count"] == .number(count), "\(verb)")
        }
        let left = try await pod.inboxDocument(user, "DELETE", "/\(id)")
        #expect(left["unread_count"] == .number("0"))
        #expect(try await device.client.first("inbox.changed")["action"]?.string == "delete")
        #expect(try await pod.inbox(user, "GET", "/\(id)").status == 404)
        #expect(try await pod.device(user).replay.isEmpty)
        #expect(try await pod.inboxIDs(other) == [id])
        #expect(try await bystander.messages().isEmpty)
    }

    @Test("a snooze that ends is told, and the payload outlives it", .timeLimit(.minutes(1)))
    func snoozeEnds() async throws {
        let (user, channel) = (TestUser(), newChannel())
        try await pod.subscribe(user, channel)
        let device = try await pod.device(user)
        let id = try await pod.publish(channel, members: #","ttl_seconds":5"#)
        let place = try await device.push()["stream_id"]
        try await pod.inboxDocument(user, "PUT", "/\(id)/snooze", body: #"{"until":"\#(later(2))"}"#)
        #expect(try await device.client.expect("inbox.changed")["unread_count"] == .number("0"))
        #expect(try await pod.redis("TTL", "notification:\(id)").int ?? 0 > 800)
        let change = try await device.client.first("inbox.changed", within: .seconds(10))
        #expect(change["action"]?.string == "unsnooze")
        #expect(change["notifications"]?.array?.first?["stream_id"] == place)
        #expect(change["unread_count"] == .number("1"))
        #expect(try await pod.inboxIDs(user) == [id])
    }

    private func later(_ seconds: Double) -> String {
        ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: seconds))
    }

    @Test("lists, pages and counts hold both, in the order of ids; read-all reads both")
    func lists() async throws {
        let (user, channel) = (TestUser(), newChannel())
        try await pod.subscribe(user, channel)
        var ids: [String] = []
        for number in 0..<10 {
            let isOwn = number % 2 == 0
            ids.insert(try await isOwn ? pod.notify(user)[0] : pod.publish(channel, message: "find me"), at: 0)
        }
        #expect(try await pod.inboxIDs(user) == ids)
        #expect(try await pod.unreadCount(user) == "10")
        var paged: [String] = []
        var cursor: String? = ""
        while let page = cursor {
            let query = "&limit=3" + (page.isEmpty ? "" : "&cursor=\(page)")
            let document = try await pod.inboxDocument(user, query: query)
            paged += document["notifications"]?.array?.compactMap { $0["id"]?.string } ?? []
            cursor = document["next_cursor"]?.string
        }
        #expect(paged == ids)
        let found = [1, 3, 5, 7, 9].map { ids[9 - $0] }
        #expect(try await pod.inboxIDs(user, "&q=find") == found.reversed())
        #expect(try await pod.inboxIDs(user, "&channel=\(channel)") == found.reversed())
        let first = try await pod.inboxDocument(user, query: "&limit=1&offset=4")["notifications"]?.array?.first
        #expect(try await pod.inboxIDs(user, "&since=\(first?["stream_id"]?.string ?? "")") == Array(ids[..<4]))
        let device = try await pod.device(user)
        let all = try await pod.inboxDocument(user, "PUT", "/read-all")
        #expect(all["updated_count"] == .number("10") && all["unread_count"] == .number("0"))
        for _ in 0..<2 {
            let change = try await device.client.first("inbox.changed")
            #expect(change["notifications"]?.array?.count == 5)
        }
    }

    @Test("a sender is told how many got and how many read it, and takes it back for all")
    func report() async throws {
        let (users, channel) = ([TestUser(), TestUser()], newChannel())
        var devices: [Device] = []
        for user in users {
            try await pod.subscribe(user, channel)
            devices.append(try await pod.device(user))
        }
        let id = try await pod.publish(channel)
        for device in devices { try await device.read(try await device.push()) }
        _ = try await pod.device(users[0])
        try await wait(until: "it is written down") {
            let report = try await pod.get("/api/v1/notify/\(id)").json
            return report["delivered"]?["devices"] == .number("3") && report["reads"] == .number("2")
        }
        let report = try await pod.get("/api/v1/notify/\(id)").json
        #expect(report["audience"]?["channel"]?.string == channel)
        #expect(report["target"] == nil)
        #expect(report["status"]?.string == "delivered")
        #expect(report["stream_id"]?.string?.hasSuffix("@\(channel)") == true)
        #expect(try await pod.http().request("DELETE", "/api/v1/notify/\(id)").status == 200)
        for device in devices {
            let change = try await device.client.first("inbox.changed")
            #expect(change["action"]?.string == "withdraw")
        }
        #expect(try await pod.http().request("DELETE", "/api/v1/notify/\(id)").status == 404)
        #expect(try await pod.inboxIDs(users[0]).isEmpty)
        #expect(try await pod.redis("XLEN", "notif:topic:\(channel)").int == 0)
        let new = try await pod.publish(channel, message: "still alive")
        #expect(try await devices[0].client.first("notification.push")["notification_id"]?.string == new)
    }

    @Test("a newer one with the same key replaces the topic's earlier one")
    func collapse() async throws {
        let (user, channel) = (TestUser(), newChannel())
        try await pod.subscribe(user, channel)
        let device = try await pod.device(user)
        let members = #","collapse_key":"k""#
        let first = try await pod.publish(channel, members: members)
        let push = try await device.push()
        try await device.read(push)
        let second = try await pod.publish(channel, members: members)
        _ = try await device.push()
        let change = try await device.client.expect("inbox.changed")
        #expect(change["action"]?.string == "collapse")
        #expect(change["notifications"]?.array?.first?["notification_id"]?.string == first)
        #expect(try await pod.inboxIDs(user) == [second])
    }

    @Test("a user has at most 100 channels", .timeLimit(.minutes(1)))
    func limit() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let names = (0..<99).map { "\"c\($0)\"" }.joined(separator: ",")
        try await device.client.send("subscribe", "{\"channels\":[\(names)]}")
        #expect(try await device.client.expect("subscribe.ack").channels.count == 99)
        try await device.client.send("subscribe", #"{"channels":["c99","c100"]}"#)
        #expect(try await device.client.expect("error")["code"]?.string == "limit")
        #expect(try await pod.subscribe(user, "c99").count == 100)
        #expect(try await pod.inbox(user, "PUT", "/channels/c100").status == 422)
        #expect(try await pod.subscribe(user, "c99").count == 100)
        let rest = try await pod.inboxDocument(user, "DELETE", "/channels/c0")
        #expect(rest.channels.count == 99 && !rest.channels.contains("c0"))
        #expect(try await pod.subscribe(user, "c100").count == 100)
        #expect(try await pod.redis("TTL", "notif:topics:\(user.key)").int ?? 0 > 15 * 86_400 - 60)
    }

    @Test("an event stream's id is the position in all streams", .timeLimit(.minutes(1)))
    func eventStream() async throws {
        let (user, channel) = (TestUser(), newChannel())
        try await pod.subscribe(user, channel)
        try await pod.notify(user, message: "own")
        try await pod.publish(channel, message: "topic")
        let reader = try await pod.stream(user)
        var last = ""
        for text in ["own", "topic"] {
            let event = try await reader.next()
            #expect(event.data["message"]?.string == text)
            last = event.id ?? ""
        }
        let parts = last.split(separator: ",")
        #expect(parts.count == 2 && parts.contains { $0.hasSuffix("@\(channel)") }, "\(last)")
        #expect(try await reader.next().id == last)
        try await pod.publish(channel, message: "live")
        let live = try await reader.next()
        #expect(live.id?.contains(live.data["stream_id"]?.string ?? "-") == true)
        try await pod.notify(user, message: "own too")
        let own = try await reader.next()
        #expect(own.id?.contains(live.data["stream_id"]?.string ?? "-") == true)
        #expect(own.id?.contains(own.data["stream_id"]?.string ?? "-") == true)
        let again = try await pod.stream(user, lastEventID: last)
        for text in ["live", "own too"] { #expect(try await again.next().data["message"]?.string == text) }
        #expect(try await again.next().type == "session.ready")
    }

    @Test("a channel may be called in any language", .timeLimit(.minutes(1)))
    func anyLanguage() async throws {
        let (user, channel) = (TestUser(), "заказы.\(newUUID())")
        let device = try await pod.device(user)
        try await device.client.send("subscribe", "{\"channels\":[\"\(channel)\"]}")
        #expect(try await device.client.expect("subscribe.ack").channels == [channel])
        try await pod.publish(channel, message: "1")
        #expect(try await device.push()["stream_id"]?.string?.hasSuffix("@\(channel)") == true)
        let reader = try await pod.stream(user)
        #expect(try await reader.next().data["channel"]?.string == channel)
        try await pod.publish(channel, message: "2")
        let again = try await pod.stream(user, lastEventID: reader.lastEventID)
        #expect(try await again.replay().texts == ["2"])
        let path = channel.replacingOccurrences(of: "заказы", with: "%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7%D1%8B")
        #expect(try await pod.inboxDocument(user, "DELETE", "/channels/\(path)").channels.isEmpty)
    }

    @Test("a long poll is answered when something comes to a topic", .timeLimit(.minutes(1)))
    func longPoll() async throws {
        let (user, channel) = (TestUser(), newChannel())
        try await pod.subscribe(user, channel)
        async let answer = pod.inboxDocument(user, query: "&since=0-0&wait=30")
        try await wait(until: "somebody waits") { try await pod.metric("carillon_local_users") > 0 }
        try await pod.publish(channel)
        #expect(try await answer["total"] == .number("1"))
    }
}
