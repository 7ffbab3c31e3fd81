import CarillonTestSupport
import Testing

/// Devices of the subprotocol `notifications.v1+json` beside others of the same user.
@Suite("Subprotocol", .pod())
struct SubprotocolTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// A live device of a new user.
    private func live(_ user: TestUser, _ query: String = "") async throws -> NotificationsDevice {
        let device = try await pod.notificationsDevice(user, query)
        #expect(try await device.messages().isEmpty)
        return device
    }

    // MARK: - Handshake

    @Test("without the offer, or with others, none is chosen")
    func notOffered() async throws {
        for offer in [[], [("Sec-WebSocket-Protocol", "chat")], [("Sec-WebSocket-Protocol", "Notifications.v1+json")]] {
            let http = try pod.http()
            let headers = WireClient.handshakeHeaders + offer
            let answer = try await http.request("GET", "/ws?\(TestUser().query)", headers: headers)
            #expect(answer["Sec-WebSocket-Protocol"] == nil)
            try await WireClient(upgraded: http, by: answer).expect("session.ready")
        }
    }

    @Test("a handshake that the library reads first is answered alike")
    func throughTheLibrary() async throws {
        let (http, user) = (try pod.http(), TestUser())
        #expect(try await http.request("GET", "/live").status == 200)
        let headers = [
            ("Sec-WebSocket-Protocol", "chat"), ("sec-websocket-protocol", NotificationsDevice.subprotocol),
        ]
        let handshake = WireClient.handshakeHeaders + headers
        let answer = try await http.request("GET", "/ws?\(user.query)", headers: handshake)
        #expect(answer["Sec-WebSocket-Protocol"] == NotificationsDevice.subprotocol)
        let device = NotificationsDevice(client: try WireClient(upgraded: http, by: answer))
        try await pod.notify(user, message: "hello")
        #expect(try await device.notification()["message"]?.string == "hello")
    }

    // MARK: - Notifications and reads

    @Test("a push is told to each in its own words, and a read on either to both")
    func pushAndRead() async throws {
        let user = TestUser()
        let (plain, device) = (try await pod.device(user), try await live(user))
        let members = """
            ,"type":"order_status","title":"Order Updated","channel":"orders","priority":"high",\
            "created_at":"2024-01-15T10:30:00Z","data":{"orderId":"12345","status":"shipped"}
            """
        let id = try #require(try await pod.notify(user, message: "shipped", members: members).first)
        let push = try await plain.push()
        #expect(
            try await device.notification()
                == .object([
                    "id": .string(id), "type": .string("order_status"), "title": .string("Order Updated"),
                    "message": .string("shipped"), "channel": .string("orders"), "priority": .string("high"),
                    "timestamp": .string("2024-01-15T10:30:00Z"),
                    "data": .object(["orderId": .string("12345"), "status": .string("shipped")]),
                ])
        )
        try await device.acknowledge(id)
        try await device.status("read", of: id)
        #expect(try await plain.client.expect("notification.read.ack")["stream_id"] == push["stream_id"])
        #expect(try await pod.redis("HGET", user.state, id).string == "read")
        #expect(try await pod.pendingCount(user) == 0)

        try await pod.notify(user, message: "second")
        let second = try await plain.push()
        #expect(try await device.notification()["id"] == second["notification_id"])
        try await plain.read(second)
        try await device.status("read", of: second["notification_id"]?.string)
        #expect(try await device.messages().isEmpty)
    }

    @Test("an ack may be repeated, and come before the replay is over")
    func earlyAck() async throws {
        let user = TestUser()
        let id = try #require(try await pod.notify(user).first)
        let device = try await pod.notificationsDevice(user)
        for _ in 0..<2 { try await device.acknowledge(id) }
        _ = try await device.notification()
        for _ in 0..<2 { try await device.status("read", of: id) }
    }

    @Test("what is done over HTTP is told as far as there are words for it")
    func changes() async throws {
        let user = TestUser()
        let device = try await live(user)
        let id = try #require(try await pod.notify(user).first)
        _ = try await device.notification()
        for verb in ["seen", "archive", "unarchive"] { try await pod.inboxDocument(user, "PUT", "/\(id)/\(verb)") }
        try await pod.inboxDocument(user, "PUT", "/\(id)/read")
        try await device.status("read", of: id)
        try await pod.inboxDocument(user, "PUT", "/\(id)/unread")
        try await device.status("delivered", of: id)
        try await pod.inboxDocument(user, "DELETE", "/\(id)")
        try await device.status("deleted", of: id)
        let taken = try #require(try await pod.notify(user, members: ",\"collapse_key\":\"k\"").first)
        _ = try await device.notification()
        let last = try #require(try await pod.notify(user, members: ",\"collapse_key\":\"k\"").first)
        // The newer one and the end of the older one come in either order.
        var heard: [WireMessage] = []
        while heard.count < 3 { heard.append(try await device.client.message()) }
        #expect(
            heard.contains { $0.data["notificationId"]?.string == taken && $0.data["status"]?.string == "withdrawn" }
        )
        #expect(heard.contains { $0.data["id"]?.string == last })
        #expect(try await pod.http().request("DELETE", "/api/v1/notify/\(last)").status == 200)
        try await device.status("withdrawn", of: last)
        try await device.acknowledge(last)
        #expect(try await device.client.expect("error")["code"]?.string == "gone")
    }

    // MARK: - Channels

    @Test("a subscription brings a channel's notifications, an ack of one is told to all devices")
    func channels() async throws {
        let (user, channel) = (TestUser(), newChannel())
        let (plain, device) = (try await pod.device(user), try await live(user))
        try await device.client.send("subscribe", "{\"userId\":\(user.id),\"channels\":[\"\(channel)\"]}")
        #expect(try await plain.client.expect("subscribe.ack").channels == [channel])
        let id = try await pod.publish(channel, message: "to all")
        let heard = try await device.notification()
        #expect(heard["id"]?.string == id)
        #expect(heard["channel"]?.string == channel)
        let push = try await plain.push()
        try await device.acknowledge(id)
        try await device.status("read", of: id)
        #expect(try await plain.client.expect("notification.read.ack")["stream_id"] == push["stream_id"])
        try await device.client.send("unsubscribe", "{\"channels\":[\"\(channel)\"]}")
        #expect(try await plain.client.expect("subscribe.ack").channels == [])
        try await pod.publish(channel)
        #expect(try await device.messages().isEmpty)
    }

    @Test("a subscription to nothing is silent, one to too much is refused")
    func subscribing() async throws {
        let user = TestUser()
        let device = try await live(user)
        for data in ["{}", "{\"userId\":\"\(user.id)\"}", "{\"channels\":[]}"] {
            try await device.client.send("subscribe", data)
        }
        #expect(try await device.messages().isEmpty)
        let names = (0..<100).map { "\"c\($0)\"" }.joined(separator: ",")
        try await device.client.send("subscribe", "{\"channels\":[\(names)]}")
        try await device.client.send("subscribe", "{\"channels\":[\"one-more\"]}")
        let error = try await device.client.expect("error")
        #expect(error["code"]?.string == "limit")
        #expect(error["type"]?.string == "subscribe")
        // Who subscribes in this way is not told when it is stored.
        try await wait(until: "all are stored") {
            try await pod.inboxDocument(user, "GET", "/channels").channels.count == 100
        }
    }

    // MARK: - Refusals

    @Test(
        "what is wrong is refused, and the connection stays",
        arguments: [
            ("subscribe", "{\"userId\":0,\"channels\":[\"orders\"]}", "invalid_data"),
            ("subscribe", "{\"channels\":[\"a b\"]}", "invalid_data"), ("ack", "{}", "invalid_data"),
            ("requestMissedNotifications", "{\"since\":\"yesterday\"}", "invalid_data"),
            ("updatePreferences", "{\"email\":true,\"push\":false,\"inApp\":true}", "unknown_type"),
            ("notification.read", "{\"notification_id\":\"a\",\"stream_id\":\"1-1\"}", "unknown_type"),
            ("sync.request", "{}", "unknown_type"), ("retention.set", "{\"days\":1}", "unknown_type"),
        ]
    )
    func refusals(type: String, data: String, code: String) async throws {
        let user = TestUser()
        let device = try await live(user)
        try await device.client.send(type, data)
        let error = try await device.client.expect("error")
        #expect(error["code"]?.string == code)
        #expect(error["type"]?.string == type)
        #expect(error["detail"]?.string?.isEmpty == false)
        try await pod.notify(user)
        _ = try await device.notification()
        #expect(try await pod.inboxDocument(user, "GET", "/channels").channels.isEmpty)
    }

    @Test("an ack of what is not the user's is not_found, and stores nothing")
    func notFound() async throws {
        let (user, other) = (TestUser(), TestUser())
        let id = try #require(try await pod.notify(other).first)
        let device = try await live(user)
        try await device.acknowledge(id)
        let error = try await device.client.expect("error")
        #expect(error.object?.count == 4)
        #expect(error["code"]?.string == "not_found")
        #expect(error["type"]?.string == "ack")
        #expect(error["notificationId"]?.string == id)
        #expect(try await pod.redis("EXISTS", user.state).int == 0)
    }
}
