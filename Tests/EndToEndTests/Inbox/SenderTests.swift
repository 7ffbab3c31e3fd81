import CarillonTestSupport
import Testing

/// What senders ask and take back: `/api/v1/notify/{id}` and `collapse_key`.
@Suite("Sender's view", .pod())
struct SenderTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    private func report(_ id: String) async throws -> WireJSON {
        let answer = try await pod.get("/api/v1/notify/\(id)")
        try #require(answer.status == 200, "\(answer.status) \(answer.text)")
        return try answer.json
    }

    @Test("a sender is told what became of a notification")
    func report() async throws {
        let user = TestUser()
        let (first, second) = (try await pod.device(user), try await pod.device(user))
        let id = try await pod.notify(user)[0]
        let push = try await first.push()
        _ = try await second.push()
        try await wait(until: "the delivery is written down") {
            try await report(id)["delivered"]?["devices"] == .number("2")
        }
        let delivered = try await report(id)
        #expect(delivered["status"]?.string == "delivered")
        #expect(delivered["stream_id"] == push["stream_id"])
        #expect(delivered["target"]?["login"]?.string == user.login)
        #expect(delivered["delivered"]?["at"]?.string != nil)
        #expect(delivered["expires_at"]?.string != nil)
        #expect(delivered["read"] == .bool(false))
        try await first.read(push)
        try await wait(until: "the time of reading is written down") { try await report(id)["read_at"] != .null }
        #expect(try await report(id)["status"]?.string == "read")
    }

    @Test("a replay is a delivery too, and only then")
    func replayIsDelivery() async throws {
        let user = TestUser()
        let id = try await pod.notify(user)[0]
        #expect(try await report(id)["status"]?.string == "pending")
        _ = try await pod.device(user)
        try await wait(until: "the delivery is written down") {
            try await report(id)["delivered"]?["devices"] == .number("1")
        }
    }

    @Test("what is withdrawn is gone from every device and every answer")
    func withdraw() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let id = try await pod.notify(user)[0]
        _ = try await device.push()
        let answer = try await pod.http().request("DELETE", "/api/v1/notify/\(id)")
        #expect(answer.status == 200)
        #expect(try answer.json["message"]?.string == "Notification withdrawn")
        let change = try await device.client.expect("inbox.changed")
        #expect(change["action"]?.string == "withdraw")
        #expect(change["unread_count"] == .number("0"))
        #expect(try await pod.inboxIDs(user).isEmpty)
        #expect(try await pod.http().request("DELETE", "/api/v1/notify/\(id)").status == 404)
        #expect(try await pod.get("/api/v1/notify/\(id)").status == 404)
        #expect(try await pod.get("/api/v1/notify/\(newUUID())").status == 404)
    }

    @Test("a newer one with the same key replaces an unread one, and leaves a read one")
    func collapse() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let key = #","collapse_key":"progress 7""#
        let first = try await pod.notify(user, message: "1 %", members: key)[0]
        _ = try await device.push()
        let second = try await pod.notify(user, message: "2 %", members: key)[0]
        let push = try await device.push()
        #expect(push["collapse_key"]?.string == "progress 7")
        let change = try await device.client.expect("inbox.changed")
        #expect(change["action"]?.string == "collapse")
        #expect(change["unread_count"] == .number("1"))
        #expect(change["notifications"]?.array?.first?["notification_id"]?.string == first)
        try await device.read(push)
        let third = try await pod.notify(user, message: "3 %", members: key)[0]
        #expect(try await pod.inboxIDs(user) == [third, second])
        #expect(try await pod.notify(TestUser(), members: key).count == 1)
    }

    @Test("posts with one key at the same time leave one", .timeLimit(.minutes(1)))
    func collapseRace() async throws {
        let user = TestUser()
        let pod = pod
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                group.addTask { try await pod.notify(user, message: "\(number)", members: #","collapse_key":"k""#) }
            }
            try await group.waitForAll()
        }
        #expect(try await pod.inboxIDs(user).count == 1)
        #expect(try await pod.redis("XLEN", user.stream).int == 1)
    }

    @Test("a repeated request with an Idempotency-Key does not replace itself")
    func collapseKeyed() async throws {
        let user = TestUser()
        let body = notifyBody([user], "m", #","collapse_key":"k""#)
        let key = newUUID()
        for _ in 0..<2 { #expect(try await pod.post(body, key: key).status == 202) }
        #expect(try await pod.inboxIDs(user).count == 1)
    }

    @Test("a collapse key is 1 to 128 bytes", arguments: [(0, 422), (1, 202), (128, 202), (129, 422)])
    func collapseKeyLimits(length: Int, status: Int) async throws {
        let key = String(repeating: "k", count: length)
        let answer = try await pod.post(notifyBody([TestUser()], "m", #","collapse_key":"\#(key)""#))
        #expect(answer.status == status)
    }
}
