import CarillonTestSupport
import Testing

/// `sync.request`, `retention.set`, and messages that make no sense.
@Suite("Messages", .pod())
struct MessageTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// A device of a user with so many notifications, numbered from 1.
    private func device(_ count: Int, _ user: TestUser = TestUser()) async throws -> Device {
        let http = try pod.http()
        for number in 0..<count { try await pod.notify(user, message: "\(number + 1)", on: http) }
        return try await pod.device(user)
    }

    private func sync(_ device: Device, _ data: String) async throws -> [WireJSON] {
        try await device.client.send("sync.request", data)
        return try #require(try await device.client.expect("sync.response").array)
    }

    @Test("the response holds the objects of the pushes, oldest first")
    func syncObjects() async throws {
        let device = try await device(3)
        try await device.read(device.replay[1])
        let rows = try await sync(device, "{\"limit\":50}")
        #expect(rows.texts == ["1", "2", "3"])
        #expect(rows.map { $0["read"] } == [.bool(false), .bool(true), .bool(false)])
        #expect(rows.map { $0["status"]?.string } == ["unread", "read", "unread"])
        #expect(rows[0] == device.replay[0])
        #expect(Set(rows[1].object?.keys.map(\.self) ?? []) == Set(device.replay[1].object?.keys.map(\.self) ?? []))
    }

    @Test("an empty stream gives an empty array")
    func syncEmpty() async throws {
        #expect(try await sync(try await device(0), "{\"limit\":50}").isEmpty)
    }

    @Test("limit is 1 to 100, clamped, and 50 by default")
    func syncLimit() async throws {
        let device = try await device(100)
        let cases: [(String, Int)] = [
            ("{\"limit\":1}", 1), ("{\"limit\":99}", 99), ("{\"limit\":100}", 100), ("{\"limit\":101}", 100),
            ("{\"limit\":100000}", 100), ("{\"limit\":0}", 1), ("{\"limit\":-7}", 1), ("{}", 50),
        ]
        for (data, count) in cases {
            let rows = try await sync(device, data)
            #expect(rows.texts == (1...100).suffix(count).map(String.init), "\(data)")
        }
    }

    @Test("before pages back, since asks for what is newer")
    func syncWindow() async throws {
        let device = try await device(10)
        let ids = device.replay.streamIDs
        #expect(try await sync(device, "{\"before\":\"\(ids[6])\"}").texts == (1...6).map(String.init))
        #expect(try await sync(device, "{\"limit\":2,\"before\":\"\(ids[6])\"}").texts == ["5", "6"])
        #expect(try await sync(device, "{\"since\":\"\(ids[6])\"}").texts == ["8", "9", "10"])
        #expect(try await sync(device, "{\"since\":\"\(ids[2])\",\"before\":\"\(ids[6])\"}").texts == ["4", "5", "6"])
        #expect(try await sync(device, "{\"since\":\"\(ids[9])\"}").isEmpty)
        #expect(try await sync(device, "{\"before\":\"\(ids[0])\"}").isEmpty)
    }

    @Test("retention of 1 to 15 days is kept and acknowledged", arguments: [1, 7, 15])
    func retention(days: Int) async throws {
        let user = TestUser()
        let device = try await device(0, user)
        try await device.client.send("retention.set", "{\"days\":\(days)}")
        #expect(try await device.client.expect("retention.set.ack") == .object(["days": .number("\(days)")]))
        #expect(try await pod.redis("GET", user.retention) == .text("\(days)"))
        #expect(try await pod.redis("TTL", user.retention) == .integer(-1))
    }

    @Test("any other retention is an error and changes nothing")
    func badRetention() async throws {
        let user = TestUser()
        let device = try await device(0, user)
        try await device.client.send("retention.set", "{\"days\":7}")
        try await device.client.expect("retention.set.ack")
        for days in ["0", "16", "-1", "\"7\"", "1.5", "true", "null", "[]", "99999999999999999999"] {
            try await device.client.send("retention.set", "{\"days\":\(days)}")
            #expect(try await device.client.expect("error")["type"] == .string("retention.set"), "\(days)")
        }
        try await device.client.send("retention.set", "{}")
        try await device.client.expect("error")
        #expect(try await pod.redis("GET", user.retention) == .text("7"))
    }

    static let nonsense = [
        "", "not json", "{", "[]", "\"x\"", "1", "null", "{}", "{\"type\":1}", "{\"type\":null,\"data\":{}}",
        "{\"type\":\"nope\",\"data\":{}}", "{\"type\":\"\",\"data\":{}}",
        "{\"type\":\"notification.push\",\"data\":{}}",
        "{\"type\":\"NOTIFICATION.READ\",\"data\":{}}", "{\"data\":{}}", "{\"type\":\"nope\"",
        "{\"type\":\"notification.read\"}", "{\"type\":\"notification.read\",\"data\":null}",
        "{\"type\":\"notification.read\",\"data\":\"x\"}", "{\"type\":\"notification.read\",\"data\":{}}",
        "{\"type\":\"notification.read\",\"data\":{\"notification_id\":\"a\"}}",
        "{\"type\":\"notification.read\",\"data\":{\"stream_id\":\"1-1\"}}",
        "{\"type\":\"notification.read\",\"data\":{\"notification_id\":1,\"stream_id\":\"1-1\"}}",
        "{\"type\":\"notification.read\",\"data\":{\"notification_id\":\"a\",\"stream_id\":2}}",
        "{\"type\":\"notification.read\",\"data\":{\"notification_id\":\"a\",\"stream_id\":\"x\"}}",
        "{\"type\":\"notification.read\",\"data\":[5]}", "{\"type\":\"sync.request\",\"data\":{\"limit\":\"ten\"}}",
        "{\"type\":\"sync.request\",\"data\":{\"since\":\"x\"}}", "{\"type\":\"sync.request\",\"data\":{\"before\":7}}",
        "{\"type\":\"retention.set\"}", "{\"type\":\"retention.set\",\"data\":{}}",
        "{\"type\":\"nope\",\"data\":\"\\ud800\"}",
        "{\"type\":\"sync.request\",\"data\":{}} trailing",
    ]

    @Test("nonsense is answered with an error frame and the socket stays open", arguments: nonsense)
    func answered(text: String) async throws {
        let user = TestUser()
        let device = try await device(0, user)
        try await device.client.send(text: text)
        let error = try await device.client.expect("error")
        #expect(error["code"]?.string?.wholeMatch(of: /[a-z0-9_]+/) != nil)
        #expect(error["detail"]?.string?.isEmpty == false)
        #expect(try await device.messages().isEmpty)
        try await pod.notify(user)
        _ = try await device.push()
    }

    @Test("a deeply nested message is an error, not the end")
    func deepNesting() async throws {
        let device = try await device(0)
        try await device.client.send(text: String(repeating: "[", count: 60_000))
        try await device.client.expect("error")
        try await device.client.send(text: "{\"type\":\"x\",\"data\":" + String(repeating: "{\"a\":", count: 10_000))
        try await device.client.expect("error")
        #expect(try await device.messages().isEmpty)
    }

    @Test("unknown members beside type and data are ignored")
    func unknownMembers() async throws {
        let device = try await device(1)
        let data = "{\"limit\":1,\"x\":[{}]}"
        try await device.client.send(text: "{\"id\":7,\"data\":\(data),\"type\":\"sync.request\",\"y\":null}")
        #expect(try await device.client.expect("sync.response").array?.count == 1)
    }

    @Test("what was asked for in one write is answered in order")
    func burst() async throws {
        let device = try await device(1)
        let frame = WireFrame(WireFrame.text, "{\"type\":\"sync.request\",\"data\":{\"limit\":1}}".utf8)
        try await device.client.send(bytes: (0..<50).flatMap { _ in frame.bytes() })
        for _ in 0..<50 { try await device.client.expect("sync.response") }
    }

    @Test("the JavaScript example of the document: sync on open, read after the push")
    func documentedExample() async throws {
        let user = TestUser(login: "alice")
        let client = try await pod.connect(user)
        try await client.send(text: #"{"type":"sync.request","data":{"limit":50}}"#)
        #expect(try await client.first("sync.response").array?.isEmpty == true)
        try await pod.notify(user, message: "Your order has been shipped")
        let push = try await client.first("notification.push")
        try await client.send(text: "{\"type\":\"notification.read\",\"data\":\(pair(push))}")
        #expect(try await client.first("notification.read.ack")["notification_id"] == push["notification_id"])
    }
}
