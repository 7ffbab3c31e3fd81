import CarillonTestSupport
import Foundation
import Testing

/// The keys of the contract, byte for byte.
@Suite("Redis keys", .pod())
struct KeyTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("a notification is a stream entry with nid and a payload that expires")
    func streamAndPayload() async throws {
        let user = TestUser(login: "alice")
        let members = ",\"created_at\":\"2024-01-01T12:00:00Z\",\"source\":\"order-service\""
        let id = try await pod.notify(user, message: "Your order has been shipped", members: members)[0]
        let entries = try await pod.redis("XRANGE", "stream:user:\(user.id)-alice", "-", "+").array
        try #require(entries.count == 1)
        #expect(entries[0].array[1].strings == ["nid", id])
        #expect(try await pod.redis("TTL", user.stream) == .integer(-1))
        #expect(try await pod.redis("TYPE", "notification:\(id)") == .text("string"))
        let left = try #require(try await pod.redis("TTL", "notification:\(id)").int)
        #expect((890...900).contains(left))
        let payload = try WireJSON.parse(try #require(try await pod.redis("GET", "notification:\(id)").string))
        #expect(
            payload
                == .object([
                    "notification_id": .string(id), "message": .string("Your order has been shipped"),
                    "created_at": .string("2024-01-01T12:00:00Z"), "source": .string("order-service"),
                    "target": .object(["id": .number(user.id), "login": .string("alice")]),
                ])
        )
    }

    @Test("the stream id is of Redis's clock")
    func streamID() async throws {
        let user = TestUser()
        try await pod.notify(user)
        let entry = try await pod.redis("XRANGE", user.stream, "-", "+").array[0].array[0].string
        let milliseconds = try #require(EntryID(entry)).milliseconds
        #expect(abs(Double(milliseconds) / 1_000 - Date().timeIntervalSince1970) < 5)
    }

    @Test("ttl_seconds is the payload's life")
    func ownTTL() async throws {
        let id = try await pod.notify(TestUser(), members: ",\"ttl_seconds\":60")[0]
        let left = try #require(try await pod.redis("TTL", "notification:\(id)").int)
        #expect((55...60).contains(left))
    }

    @Test("a read is a field of the state hash, which has no TTL")
    func state() async throws {
        let user = TestUser()
        try await pod.notify(user)
        #expect(try await pod.redis("EXISTS", user.state) == .integer(0))
        let device = try await pod.device(user)
        try await device.read(device.replay[0])
        #expect(try await pod.redis("TYPE", user.state) == .text("hash"))
        let id = try #require(device.replay[0]["notification_id"]?.string)
        #expect(try await pod.redis("HGETALL", user.state).strings == [id, "read"])
        #expect(try await pod.redis("TTL", user.state) == .integer(-1))
    }

    @Test("the lock is there while a device is, and goes with the last one")
    func lock() async throws {
        let user = TestUser()
        let (first, second) = (try await pod.device(user), try await pod.device(user))
        try await wait(until: "the lock is taken") {
            try await pod.redis("GET", user.lock) == .text(pod.server.podID)
        }
        #expect(try await pod.redis("TYPE", user.lock) == .text("string"))
        let left = try #require(try await pod.redis("TTL", user.lock).int)
        #expect((1...60).contains(left))
        first.client.drop()
        try await wait(until: "one device is left") {
            try await pod.get("/api/v1/admin/clients").json["clients"]?.array?
                .filter { $0["id"]?.numberText == user.id }.count == 1
        }
        #expect(try await pod.redis("EXISTS", user.lock) == .integer(1))
        second.client.drop()
        try await wait(until: "the lock is freed") { try await pod.redis("EXISTS", user.lock) == .integer(0) }
    }

    @Test("a user without devices has no lock")
    func noLock() async throws {
        let user = TestUser()
        try await pod.notify(user)
        #expect(try await pod.redis("EXISTS", user.lock) == .integer(0))
    }

    @Test("group notifications, consumer user:{id}, pending as many as are unread")
    func group() async throws {
        let user = TestUser()
        try await pod.notify(user)
        let device = try await pod.device(user)
        try await pod.notify(user)
        let push = try await device.push()
        try await wait(until: "both are pending") {
            guard let group = try await pod.redis("XINFO", "GROUPS", user.stream).array.first?.pairs else {
                return false
            }
            return group["name"] == .text("notifications") && group["pending"] == .integer(2)
        }
        let consumers = try await pod.redis("XINFO", "CONSUMERS", user.stream, "notifications").array
        #expect(consumers.map { $0.pairs["name"] } == [.text("user:\(user.id)")])
        try await device.read(push)
        #expect(try await pod.pendingCount(user) == 1)
    }

    @Test("the pod's heartbeat is a field of unix seconds, renewed every second")
    func heartbeat() async throws {
        let field = pod.server.podID
        let first = try #require(try await pod.redis("HGET", "notif:pods:hb", field).int)
        #expect(abs(Double(first) - Date().timeIntervalSince1970) <= 3)
        try await wait(until: "the next heartbeat") {
            try await pod.redis("HGET", "notif:pods:hb", field).int ?? 0 > first
        }
        #expect(try await pod.redis("TYPE", "notif:pods:hb") == .text("hash"))
    }

    @Test("the pod has a bus, which is a capped stream")
    func bus() async throws {
        let bus = "notif:bus:\(pod.server.podID)"
        #expect(try await pod.redis("TYPE", bus) == .text("stream"))
        #expect(try await pod.redis("XLEN", bus).int ?? 0 < 100_000)
    }

    @Test("the pod's run id is kept")
    func runID() async throws {
        #expect(try await pod.redis("GET", "notif:pod:\(pod.server.podID)").string?.isEmpty == false)
    }

    @Test("every key is of the contract, or starts with notif: and ends by itself")
    func allKeys() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let body = notifyBody([user, TestUser()], "k")
        #expect(try await pod.post(body, key: newUUID()).status == 202)
        try await device.read(try await device.push())
        try await device.client.send("retention.set", "{\"days\":3}")
        try await device.client.first("retention.set.ack")
        let documented = [
            /stream:user:[0-9]+-.+/, /notification:[0-9a-f-]{36}/, /notification_state:[0-9]+-.+/,
            /notif:lock:consumer:[0-9]+-.+/, /notif:retention:[0-9]+-.+/, /notif:bus:.+/, /notif:pods:hb/,
        ]
        for key in try await pod.redis("KEYS", "*").strings {
            if documented.contains(where: { key.wholeMatch(of: $0) != nil }) { continue }
            #expect(key.hasPrefix("notif:"), "\(key)")
            // A collection without TTL may be bounded by its content; a plain value without one stays for ever.
            if try await pod.redis("TTL", key) == .integer(-1) {
                #expect(try await pod.redis("TYPE", key) != .text("string"), "\(key) has no TTL")
            }
        }
    }

    @Test("payloads and locks always have a TTL")
    func expiring() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user, members: ",\"ttl_seconds\":1296000")
        _ = try await device.push()
        for pattern in ["notification:*", "notif:lock:*"] {
            for key in try await pod.redis("KEYS", pattern).strings {
                #expect(try await pod.redis("TTL", key) != .integer(-1), "\(key)")
            }
        }
    }
}
