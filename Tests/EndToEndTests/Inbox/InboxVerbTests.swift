import CarillonTestSupport
import Foundation
import Testing

/// What is done to notifications over HTTP, and what devices hear of it.
@Suite("Inbox verbs", .pod())
struct InboxVerbTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("a read over HTTP is a read like any other")
    func read() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let id = try await pod.notify(user)[0]
        let push = try await device.push()
        let answer = try await pod.inboxDocument(user, "PUT", "/\(id)/read")
        #expect(answer["success"] == .bool(true))
        #expect(answer["message"]?.string == "Notification marked as read")
        #expect(answer["unread_count"] == .number("0"))
        #expect(answer["status"]?.string == "read")
        let ack = try await device.client.expect("notification.read.ack")
        #expect(ack["stream_id"] == push["stream_id"])
        let change = try await device.client.expect("inbox.changed")
        #expect(change["action"]?.string == "read")
        #expect(change["unread_count"] == .number("0"))
        #expect(change["notifications"]?.array == [ack])
        #expect(try await pod.redis("HGETALL", user.state).strings == [id, "read"])
        #expect(try await pod.pendingCount(user) == 0)
        let again = try await pod.inboxDocument(
            user,
            "PUT",
            "/\(id)/read",
            body: #"{"read_at":"2024-01-01T12:00:00Z"}"#
        )
        #expect(again["read_at"] == answer["read_at"])
    }

    @Test("unread makes it pending again, and it can be read once more")
    func unread() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let id = try await pod.notify(user)[0]
        let push = try await device.push()
        try await device.read(push)
        #expect(try await pod.inboxDocument(user, "PUT", "/\(id)/unread")["unread_count"] == .number("1"))
        #expect(try await device.client.expect("inbox.changed")["action"]?.string == "unread")
        #expect(try await pod.pendingCount(user) == 1)
        #expect(try await pod.device(user).ready["unread_count"] == .number("1"))
        try await device.read(push)
        #expect(try await pod.unreadCount(user) == "0")
        #expect(try await pod.pendingCount(user) == 0)
    }

    @Test("what is archived or snoozed is neither listed nor counted, and shows its state")
    func hidden() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let id = try await pod.notify(user)[0]
        _ = try await device.push()
        for (verb, undo) in [("archive", "unarchive"), ("snooze", "unsnooze")] {
            let until = Date.now.addingTimeInterval(600).formatted(.iso8601)
            let body = verb == "snooze" ? #"{"until":"\#(until)"}"# : nil
            let state = try await pod.inboxDocument(user, "PUT", "/\(id)/\(verb)", body: body)
            #expect(state["unread_count"] == .number("0"))
            let change = try await device.client.expect("inbox.changed")
            #expect(change["action"]?.string == verb)
            #expect(change["unread_count"] == .number("0"))
            #expect(change["snoozed_until"]?.string == (verb == "snooze" ? until : nil))
            #expect(try await pod.inboxIDs(user).isEmpty)
            let flag = verb == "snooze" ? "&snoozed=true" : "&archived=true"
            #expect(try await pod.inboxIDs(user, flag) == [id])
            let fresh = try await pod.device(user)
            #expect(fresh.ready["unread_count"] == .number("0"))
            #expect(fresh.replay[0][verb == "snooze" ? "snoozed_until" : "archived"] != nil)
            #expect(try await pod.inboxDocument(user, "PUT", "/\(id)/\(undo)")["unread_count"] == .number("1"))
            #expect(try await device.client.expect("inbox.changed")["action"]?.string == undo)
            #expect(try await pod.inboxIDs(user) == [id])
        }
    }

    @Test("a snooze that ends is told, and its payload outlives it")
    func snoozeEnds() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let id = try await pod.notify(user, members: #","ttl_seconds":5"#)[0]
        _ = try await device.push()
        let until = Date.now.addingTimeInterval(2).formatted(.iso8601)
        try await pod.inboxDocument(user, "PUT", "/\(id)/snooze", body: #"{"until":"\#(until)"}"#)
        #expect(try await device.client.expect("inbox.changed")["unread_count"] == .number("0"))
        let ttl = try #require(try await pod.redis("TTL", "notification:\(id)").int)
        #expect(ttl > 800)
        let change = try await device.client.first("inbox.changed", within: .seconds(10))
        #expect(change["action"]?.string == "unsnooze")
        #expect(change["unread_count"] == .number("1"))
        #expect(try await pod.inboxIDs(user) == [id])
        let key = try await WireRedis(port: pod.redisProcess.port).spread("notif:snoozed", over: user.key)
        let waiting = try await pod.redis("ZRANGE", key, "0", "-1").strings
        #expect(!waiting.contains { $0.hasSuffix(id) })
    }

    @Test(
        "a snooze ends in the future and within 15 days",
        arguments: [(-1.0, 422), (1_295_990, 200), (1_296_010, 422)]
    )
    func snoozeLimits(seconds: Double, status: Int) async throws {
        let user = TestUser()
        let id = try await pod.notify(user)[0]
        let until = Date.now.addingTimeInterval(seconds).formatted(.iso8601)
        let answer = try await pod.inbox(user, "PUT", "/\(id)/snooze", body: #"{"until":"\#(until)"}"#)
        #expect(answer.status == status)
        if status == 422 { #expect(try answer.json["errors"]?.array?.first?["pointer"]?.string == "/until") }
    }

    @Test(
        "bodies that say nothing useful are refused",
        arguments: [
            ("{", 400), ("[]", 422), ("", 422), (#"{"until":7}"#, 422), (#"{"until":"soon"}"#, 422), ("{}", 422),
        ]
    )
    func badBodies(body: String, status: Int) async throws {
        let user = TestUser()
        let id = try await pod.notify(user)[0]
        #expect(try await pod.inbox(user, "PUT", "/\(id)/snooze", body: body).status == status)
        #expect(try await pod.inboxIDs(user) == [id])
    }

    @Test("deleting removes all of it, for good")
    func delete() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let id = try await pod.notify(user)[0]
        let push = try await device.push()
        try await pod.inboxDocument(user, "PUT", "/\(id)/seen")
        #expect(try await device.client.expect("inbox.changed")["action"]?.string == "seen")
        #expect(try await pod.inboxDocument(user, "DELETE", "/\(id)")["unread_count"] == .number("0"))
        let change = try await device.client.expect("inbox.changed")
        #expect(change["action"]?.string == "delete")
        #expect(change["notifications"]?.array?.first?["notification_id"]?.string == id)
        #expect(try await pod.inbox(user, "DELETE", "/\(id)").status == 404)
        #expect(try await pod.redis("XLEN", user.stream).int == 0)
        #expect(try await pod.redis("EXISTS", "notification:\(id)").int == 0)
        #expect(try await pod.redis("EXISTS", "notif:inbox:\(user.key)").int == 0)
        #expect(try await pod.device(user).replay.isEmpty)
        try await device.client.send("notification.read", pair(push))
        #expect(try await device.client.expect("error")["code"]?.string == "gone")
    }

    @Test("all are read, or seen, at once, as far as the filter goes")
    func all() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        for type in ["a", "b", "a"] { try await pod.notify(user, members: #","type":"\#(type)""#) }
        for _ in 0..<3 { _ = try await device.push() }
        let seen = try await pod.inboxDocument(user, "PUT", "/seen-all")
        #expect(seen["updated_count"] == .number("3"))
        #expect(try await device.client.expect("inbox.changed")["notifications"]?.array?.count == 3)
        #expect(try await pod.inboxDocument(user, "PUT", "/seen-all")["updated_count"] == .number("0"))
        let some = try await pod.inboxDocument(user, "PUT", "/read-all", query: "&notification_type=a")
        #expect(some["updated_count"] == .number("2"))
        #expect(some["unread_count"] == .number("1"))
        #expect(some["message"]?.string == "All notifications marked as read")
        for _ in 0..<2 { try await device.client.expect("notification.read.ack") }
        #expect(try await device.client.expect("inbox.changed")["unread_count"] == .number("1"))
        #expect(try await pod.inboxDocument(user, "PUT", "/read-all")["updated_count"] == .number("1"))
        #expect(try await pod.inboxDocument(user, "PUT", "/read-all")["updated_count"] == .number("0"))
    }

    @Test("a device that asked for it is told the number after pushes and reads")
    func counts() async throws {
        let user = TestUser()
        let device = try await pod.device(user, "&unread_count=true")
        let quiet = try await pod.device(user)
        try await pod.notify(user)
        let push = try await device.push()
        let first = try await device.client.expect("inbox.changed")
        #expect(first["action"]?.string == "count")
        #expect(first["unread_count"] == .number("1"))
        try await device.read(push)
        #expect(try await device.client.expect("inbox.changed")["unread_count"] == .number("0"))
        #expect(try await quiet.messages().allSatisfy { $0.type != "inbox.changed" })
        #expect(try await pod.get("/ws?\(user.query)&unread_count=maybe").status == 426)
    }
}
