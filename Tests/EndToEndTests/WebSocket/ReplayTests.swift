import CarillonTestSupport
import Foundation
import Testing

/// What a device hears on connect.
@Suite("Replay", .pod())
struct ReplayTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("session.ready says who, where and up to where")
    func sessionReady() async throws {
        let user = TestUser()
        try await pod.notify(user)
        try await pod.notify(user)
        let device = try await pod.device(user)
        let ready = device.ready
        #expect(ready["connection_id"]?.string?.isEmpty == false)
        #expect(ready["pod_id"] == .string(pod.server.podID))
        #expect(ready["unread_count"] == .number("2"))
        #expect(ready["last_stream_id"]?.string == device.replay.streamIDs.last)
        #expect(!device.epoch.isEmpty)
        let time = try #require(instant(ready["server_time"]?.string))
        #expect(abs(time - Date().timeIntervalSince1970) < 5)
        #expect(ready["protocol"] == .number("1"))
    }

    @Test("a new user hears session.ready alone")
    func newUser() async throws {
        let device = try await pod.device(TestUser())
        #expect(device.replay.isEmpty)
        #expect(device.ready["unread_count"] == .number("0"))
        #expect(device.ready["last_stream_id"]?.string != nil)
        #expect(try await device.messages().isEmpty)
    }

    @Test("connection ids differ")
    func connectionIDs() async throws {
        let user = TestUser()
        let (first, second) = (try await pod.device(user), try await pod.device(user))
        #expect(first.ready["connection_id"] != second.ready["connection_id"])
        #expect(first.epoch == second.epoch)
    }

    @Test("an offline user's notifications come oldest first, unread")
    func unread() async throws {
        let user = TestUser()
        let ids = [
            try await pod.notify(user, message: "one")[0], try await pod.notify(user, message: "two")[0],
            try await pod.notify(user, message: "three")[0],
        ]
        let replay = try await pod.device(user).replay
        #expect(replay.texts == ["one", "two", "three"])
        #expect(replay.notificationIDs == ids)
        for push in replay {
            #expect(push["status"] == .string("unread"))
            #expect(push["read"] == .bool(false))
            #expect(EntryID(push["stream_id"]?.string) != nil)
            #expect(instant(push["created_at"]?.string) != nil)
        }
        let entries = try await pod.redis("XRANGE", user.stream, "-", "+").array
        #expect(replay.streamIDs == entries.compactMap { $0.array.first?.string })
    }

    @Test("a push of the document has the document's members")
    func documentedPush() async throws {
        let user = TestUser()
        let members = ",\"created_at\":\"2024-01-01T12:00:00Z\",\"source\":\"order-service\""
        let id = try await pod.notify(user, message: "Your order has been shipped", members: members)[0]
        let push = try #require(try await pod.device(user).replay.first)
        #expect(push["notification_id"] == .string(id))
        #expect(push["message"] == .string("Your order has been shipped"))
        #expect(push["created_at"] == .string("2024-01-01T12:00:00Z"))
        #expect(push["source"] == .string("order-service"))
        #expect(push["status"] == .string("unread"))
        #expect(push["read"] == .bool(false))
    }

    @Test("read ones come as read")
    func read() async throws {
        let user = TestUser()
        for text in ["one", "two", "three"] { try await pod.notify(user, message: text) }
        let first = try await pod.device(user)
        try await first.read(first.replay[1])
        let second = try await pod.device(user)
        #expect(second.replay.texts == ["one", "two", "three"])
        #expect(second.replay.map { $0["read"] } == [.bool(false), .bool(true), .bool(false)])
        #expect(second.replay.map { $0["status"]?.string } == ["unread", "read", "unread"])
        #expect(second.ready["unread_count"] == .number("2"))
    }

    @Test("an unread one whose payload is gone comes as auto_cleared, with the stream's time")
    func autoCleared() async throws {
        let user = TestUser()
        let ids = try await [pod.notify(user, message: "one")[0], pod.notify(user, message: "two")[0]]
        #expect(try await pod.redis("DEL", "notification:\(ids[0])") == .integer(1))
        let replay = try await pod.device(user).replay
        try #require(replay.count == 2)
        let push = replay[0]
        #expect(push["notification_id"] == .string(ids[0]))
        #expect(push["status"] == .string("auto_cleared"))
        #expect(push["message"] == .string(""))
        #expect(push["source"] == .string(""))
        #expect(push["read"] == .bool(false))
        let entry = try #require(EntryID(push["stream_id"]?.string))
        let time = try #require(instant(push["created_at"]?.string))
        #expect(abs(time - Double(entry.milliseconds) / 1_000) < 1)
        #expect(replay[1]["status"] == .string("unread"))
    }

    @Test("a read one whose payload is gone is left out")
    func readAndExpired() async throws {
        let user = TestUser()
        let ids = try await [pod.notify(user, message: "one")[0], pod.notify(user, message: "two")[0]]
        let first = try await pod.device(user)
        try await first.read(first.replay[0])
        try await pod.redis("DEL", "notification:\(ids[0])")
        #expect(try await pod.device(user).replay.texts == ["two"])
    }

    @Test("entries written by other programs are replayed as ours")
    func foreignEntries() async throws {
        let user = TestUser()
        let (notification, stream) = try await pod.storeByHand(user, message: "by \"hand\" 😀")
        let push = try #require(try await pod.device(user).replay.first)
        #expect(push["notification_id"] == .string(notification))
        #expect(push["stream_id"] == .string(stream))
        #expect(push["message"] == .string("by \"hand\" 😀"))
        #expect(push["source"] == .string("elsewhere"))
    }

    @Test("a device's replay does not disturb another one")
    func otherDeviceUndisturbed() async throws {
        let user = TestUser()
        try await pod.notify(user, message: "one")
        let first = try await pod.device(user)
        let second = try await pod.device(user)
        #expect(second.replay.texts == ["one"])
        #expect(try await first.messages().filter { $0.type == "notification.push" }.isEmpty)
    }

    @Test("users do not hear each other")
    func separation() async throws {
        let user = TestUser(login: "a")
        let neighbours = [
            TestUser(id: user.id, login: "b"), TestUser(login: "a"), TestUser(id: user.id + "0", login: "a"),
        ]
        var devices: [Device] = []
        for neighbour in neighbours { devices.append(try await pod.device(neighbour)) }
        try await pod.notify(user, message: "mine")
        #expect(try await pod.device(user).replay.texts == ["mine"])
        for device in devices { #expect(try await device.messages().isEmpty) }
    }

    @Test("the last 100 of 150 are replayed, and the history says the same")
    func lastHundred() async throws {
        let user = TestUser()
        let http = try pod.http()
        for number in 1...150 { try await pod.notify(user, message: "\(number)", on: http) }
        let length = try #require(try await pod.redis("XLEN", user.stream).int)
        #expect((100...200).contains(length))
        let device = try await pod.device(user)
        #expect(device.replay.texts == (51...150).map(String.init))
        #expect(device.ready["unread_count"] == .number("100"))
        let history = try await pod.get("/api/v1/admin/history?\(user.query)").json
        let messages = try #require(history["messages"]?.array)
        #expect(messages.compactMap { $0["payload"]?["message"]?.string } == (51...150).map(String.init))
    }
}

/// A stream that keeps more than the 100 that are always replayed.
@Suite("Replay of more than a hundred", .pod(["STREAM_MAXLEN": "300"]))
struct LongReplayTests {
    @Test("all older unread ones are replayed, older read ones are not")
    func olderUnread() async throws {
        let pod = try Pod.current
        let user = TestUser()
        let http = try pod.http()
        for number in 1...150 { try await pod.notify(user, message: "\(number)", on: http) }
        let first = try await pod.device(user)
        #expect(first.replay.texts == (1...150).map(String.init))
        // 5..9 are older than the last hundred; 60..64 are among them.
        for number in [5, 6, 7, 8, 9, 60, 61, 62, 63, 64] { try await first.read(first.replay[number - 1]) }
        let second = try await pod.device(user)
        #expect(second.replay.texts == (1...150).filter { !(5...9).contains($0) }.map(String.init))
        #expect(second.replay.filter { $0["read"] == .bool(true) }.texts == (60...64).map(String.init))
        #expect(second.ready["unread_count"] == .number("140"))
    }
}
