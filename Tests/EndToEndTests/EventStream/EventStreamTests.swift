import CarillonTestSupport
import Testing

/// Server-sent events: what a WebSocket gives, as a stream.
@Suite("Event streams", .pod())
struct EventStreamTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("the answer's head")
    func head() async throws {
        let reader = try await pod.stream(TestUser())
        #expect(reader.status == 200)
        #expect(reader["content-type"] == "text/event-stream; charset=utf-8")
        #expect(reader["cache-control"] == "no-cache")
        #expect(reader["x-accel-buffering"] == "no")
        #expect(reader["date"] != nil)
        // Without FRONTEND_URL nothing of other origins is said.
        #expect(reader["vary"] == nil && reader["access-control-allow-origin"] == nil)
        try await reader.expect("session.ready")
        #expect((1_000...3_000).contains(reader.retry ?? 0))
    }

    @Test("replay, session.ready and live pushes say what a WebSocket hears")
    func same() async throws {
        let user = TestUser()
        for number in 1...3 { try await pod.notify(user, message: "\(number)\n\u{2028}") }
        let device = try await pod.device(user)
        let reader = try await pod.stream(user)
        for push in device.replay {
            let event = try await reader.next()
            #expect(event.type == "notification.push")
            #expect(event.data == push)
            #expect(event.id == push["stream_id"]?.string)
        }
        let ready = try await reader.next()
        #expect(ready.type == "session.ready")
        #expect(ready.id == ready.data["last_stream_id"]?.string)
        #expect(ready.data["unread_count"] == device.ready["unread_count"])
        #expect(ready.data["epoch"] == device.ready["epoch"])
        try await pod.notify(user, message: "live", members: ",\"data\":{\n\"a\":\r\n[1,\n2]}")
        let event = try await reader.next()
        #expect(event.data == (try await device.push()))
        #expect(event.id == event.data["stream_id"]?.string)
    }

    @Test("reads and clearings are told")
    func told() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let reader = try await pod.stream(user)
        try await reader.expect("session.ready")
        try await pod.notify(user)
        let push = try await device.push()
        try await reader.expect("notification.push")
        try await device.read(push)
        let event = try await reader.next()
        #expect(event.type == "notification.read.ack")
        #expect(event.id == nil)
        #expect(event.data["notification_id"] == push["notification_id"])
    }

    @Test("Last-Event-ID goes on behind that event, and wins over since")
    func lastEventID() async throws {
        let user = TestUser()
        for number in 1...5 { try await pod.notify(user, message: "\(number)") }
        let ids = try await pod.stream(user).replay().streamIDs
        for (index, id) in ids.enumerated() {
            let back = try await pod.stream(user, "&since=\(ids[0])", lastEventID: id)
            #expect(try await back.replay().texts == (1...5).dropFirst(index + 1).map(String.init))
            #expect(back.lastEventID == ids[4])
        }
        #expect(try await pod.stream(user, "&since=\(ids[3])").replay().texts == ["5"])
        #expect(try await pod.stream(user, "&since=\(ids[3])", lastEventID: "").replay().texts == ["5"])
        #expect(try await pod.stream(user, "&since=\(ids[3])&epoch=other").replay().count == 5)
        #expect(try await pod.stream(user, "&epoch=other", lastEventID: ids[3]).replay().count == 5)
    }

    @Test(
        "bad parameters are a problem, as for a WebSocket",
        arguments: [
            ("login=alice", ""), ("user_id=1", ""), ("user_id=x&login=alice", ""),
            ("user_id=1&login=alice&since=x", ""),
            ("user_id=1&login=alice", "Last-Event-ID: x\r\n"), ("", ""),
        ]
    )
    func badParameters(query: String, headers: String) async throws {
        let connection = try pod.http()
        try await connection.stream.send(
            Array("GET /api/v1/stream?\(query) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n".utf8)
        )
        let answer = try await connection.response(to: "GET")
        #expect(answer.status == 400)
        #expect(answer["Content-Type"] == "application/problem+json")
        #expect(try answer.json["error"] == .string("invalid_parameter"))
        #expect(try await connection.closes())
    }

    @Test("HTTP/1.0 is served the same bytes")
    func old() async throws {
        let user = TestUser()
        try await pod.notify(user, message: "old")
        let reader = try await EventReader(pod.http(), "/api/v1/stream?\(user.query)", version: "HTTP/1.0")
        #expect(try await reader.replay().texts == ["old"])
    }

    @Test("HEAD says what GET would, and is no device")
    func headMethod() async throws {
        let user = TestUser()
        let connection = try pod.http()
        let answer = try await connection.request("HEAD", "/api/v1/stream?\(user.query)")
        #expect(answer.status == 200)
        #expect(answer["Content-Type"] == "text/event-stream; charset=utf-8")
        #expect(try await connection.closes())
        #expect(try await pod.http().request("HEAD", "/api/v1/stream").status == 400)
        #expect(try await pod.redis("EXISTS", "notif:conn:\(user.key)") == .integer(0))
    }

    @Test("a device like any other: in the admin lists, in the gauges, in presence", arguments: [true, false])
    func counted(resets: Bool) async throws {
        let user = TestUser()
        let reader = try await pod.stream(user)
        let id = try await reader.expect("session.ready")["connection_id"]
        func rows() async throws -> [WireJSON] {
            let list = try await pod.get("/api/v1/admin/clients?limit=10000").json["clients"]?.array ?? []
            return list.filter { $0["id"]?.numberText == user.id }
        }
        #expect(try await rows().map { $0["connection_id"] } == [id])
        #expect(try await rows().map { $0["transport"] } == [.string("sse")])
        #expect(try await pod.metric("carillon_event_streams") >= 1)
        #expect(try await pod.metric("websocket_connections") >= 1)
        try await wait(until: "presence") { try await pod.redis("EXISTS", "notif:conn:\(user.key)") == .integer(1) }
        if resets { reader.connection.stream.reset() } else { reader.connection.stream.closeWriting() }
        try await wait(until: "the client's end is noticed") { try await rows().isEmpty }
        try await wait(until: "presence goes") {
            try await pod.redis("EXISTS", "notif:conn:\(user.key)") == .integer(0)
        }
    }

    @Test("what is sent behind the request is ignored")
    func pipelined() async throws {
        let user = TestUser()
        let reader = try await EventReader(
            pod.http(),
            "/api/v1/stream?\(user.query)",
            headers: "\r\nGET /live HTTP/1.1\r\nHost: x\r\n"
        )
        try await reader.expect("session.ready")
        try await reader.connection.stream.send(Array("GET /live HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        try await pod.notify(user, message: "live")
        #expect(try await reader.expect("notification.push")["message"] == .string("live"))
    }
}
