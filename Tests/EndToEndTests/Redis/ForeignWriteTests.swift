import CarillonTestSupport
import Testing

/// Other programs write the same keys, and Redis always shows the truth.
@Suite("Foreign writes", .pod(["UPKEEP_INTERVAL": "1s", "GROUP_MAINTENANCE_INTERVAL": "1s"]))
struct ForeignWriteTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("an entry added by hand is pushed")
    func added() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let (notification, stream) = try await pod.storeByHand(user, message: "from outside")
        let push = try await device.push(within: .seconds(4))
        #expect(push["notification_id"] == .string(notification))
        #expect(push["stream_id"] == .string(stream))
        #expect(push["message"] == .string("from outside"))
        try await device.read(push)
        #expect(try await pod.redis("HGET", user.state, notification) == .text("read"))
    }

    @Test("an entry added by hand for somebody unknown is found by the sweep and listed as pending")
    func addedForUnknown() async throws {
        let user = TestUser()
        let (_, stream) = try await pod.storeByHand(user, message: "from outside")
        try await wait(until: "it is listed") {
            let pending = try await pod.get("/api/v1/admin/pending").json["pending_notifications"]?[user.key]
            return pending?[0]?["id"] == .string(stream)
        }
    }

    @Test("foreign and own entries keep stream order on the device")
    func mixed() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        for number in 0..<20 {
            if number % 3 == 1 {
                _ = try await pod.storeByHand(user, message: "\(number)")
            } else {
                try await pod.notify(user, message: "\(number)")
            }
        }
        var pushes: [WireJSON] = []
        for _ in 0..<20 { pushes.append(try await device.push()) }
        #expect(pushes.texts == (0..<20).map(String.init))
        #expect(try await device.messages().isEmpty)
    }

    @Test("a payload deleted by hand is auto_cleared on the next connect")
    func deletedPayload() async throws {
        let user = TestUser()
        let id = try await pod.notify(user)[0]
        try await pod.redis("DEL", "notification:\(id)")
        #expect(try await pod.device(user).replay.map { $0["status"]?.string } == ["auto_cleared"])
    }

    @Test("a read written by hand without XACK shows, and leaves the pending list")
    func readByHand() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let id = try await pod.notify(user)[0]
        _ = try await device.push()
        try await wait(until: "the entry is pending") { try await pod.pendingCount(user) == 1 }
        try await pod.redis("HSET", user.state, id, "read")
        try await wait(until: "the entry is acknowledged", within: .seconds(10)) {
            try await pod.pendingCount(user) == 0
        }
        let second = try await pod.device(user)
        #expect(second.replay.map { $0["read"] } == [.bool(true)])
        #expect(second.ready["unread_count"] == .number("0"))
    }

    @Test("a destroyed group heals")
    func destroyedGroup() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user)
        let first = try await device.push()
        try await wait(until: "the entry is pending") { try await pod.pendingCount(user) == 1 }
        #expect(try await pod.redis("XGROUP", "DESTROY", user.stream, "notifications") == .integer(1))
        try await pod.notify(user, message: "after")
        let second = try await device.push()
        #expect(second["message"] == .string("after"))
        try await device.read(first)
        try await wait(until: "the group is back", within: .seconds(10)) {
            let groups = try await pod.redis("XINFO", "GROUPS", user.stream).array
            return groups.map { $0.pairs["name"] } == [.text("notifications")]
        }
        try await wait(until: "only the unread one is pending", within: .seconds(10)) {
            try await pod.pendingCount(user) == 1
        }
        try await device.read(second)
        #expect(try await pod.pendingCount(user) == 0)
    }

    @Test("a deleted stream heals")
    func deletedStream() async throws {
        let user = TestUser()
        var device = try await pod.device(user)
        try await pod.notify(user, message: "before")
        _ = try await device.push()
        #expect(try await pod.redis("DEL", user.stream) == .integer(1))
        try await pod.notify(user, message: "after")
        var text: String?
        do {
            text = try await device.client.first("notification.push")["message"]?.string
        } catch WireError.closedWith(let code, _) {
            #expect(code == 1012)
            device = try await pod.device(user)
            text = device.replay.texts.last
        }
        #expect(text == "after")
        try await wait(until: "the group is back", within: .seconds(10)) {
            try await pod.redis("XINFO", "GROUPS", user.stream).array.count == 1
        }
    }

    @Test("entries that make no sense are passed over")
    func nonsense() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.redis("XADD", user.stream, "*", "other", "field")
        try await pod.redis("XADD", user.stream, "*", "nid", "")
        try await pod.redis("XADD", user.stream, "*", "nid", String(repeating: "x", count: 100_000))
        let broken = newUUID()
        try await pod.redis("SET", "notification:\(broken)", "not json \u{1}\"")
        try await pod.redis("XADD", user.stream, "*", "nid", broken)
        try await pod.notify(user, message: "sense")
        while try await device.client.first("notification.push")["message"] != .string("sense") {}
        #expect(try await pod.device(user).replay.texts.last == "sense")
        #expect(try await pod.get("/health").status == 200)
    }

    @Test("a payload that is no JSON is listed as a string, and spoils no listing")
    func noJSON() async throws {
        let user = TestUser()
        try await pod.notify(user, message: "sense")
        let broken = newUUID()
        try await pod.redis("SET", "notification:\(broken)", "not json \u{1}\"")
        try await pod.redis("XADD", user.stream, "*", "nid", broken)
        let history = try await pod.get("/api/v1/admin/history?\(user.query)").json["messages"]?.array ?? []
        #expect(history.last?["payload"] == .string("not json \u{1}\""))
        let pending = try await pod.get("/api/v1/admin/pending").json["pending_notifications"]?[user.key]?.array ?? []
        #expect(pending.first?["payload"] == .string("not json \u{1}\""))
    }

    @Test("keys of the wrong type harm only their own user")
    func wrongType() async throws {
        let (broken, healthy) = (TestUser(), TestUser())
        try await pod.redis("SET", broken.stream, "a string")
        let device = try await pod.device(healthy)
        let answer = try await pod.post(notifyBody([broken], "m"))
        #expect((500...599).contains(answer.status))
        try await pod.notify(healthy, message: "fine")
        #expect(try await device.push()["message"] == .string("fine"))
    }

    @Test("a lock that somebody else holds delays no push")
    func foreignLock() async throws {
        let user = TestUser()
        try await pod.redis("SET", user.lock, "nobody", "EX", "60")
        let device = try await pod.device(user)
        try await pod.notify(user, message: "at once")
        #expect(try await device.push(within: .seconds(1))["message"] == .string("at once"))
    }

    @Test("retention written by hand is what counts")
    func foreignRetention() async throws {
        let user = TestUser()
        try await pod.redis("SET", user.retention, "nonsense")
        let device = try await pod.device(user)
        try await pod.notify(user)
        _ = try await device.push()
        try await device.client.send("retention.set", "{\"days\":2}")
        try await device.client.expect("retention.set.ack")
        #expect(try await pod.redis("GET", user.retention) == .text("2"))
    }
}
