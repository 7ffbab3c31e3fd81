import CarillonTestSupport
import Testing

/// The handshake of `GET /ws`.
@Suite("Upgrade", .pod())
struct UpgradeTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    private func upgrade(
        _ target: String,
        _ headers: [(String, String)] = WireClient.handshakeHeaders
    ) async throws -> WireResponse {
        try await pod.http().request("GET", target, headers: headers)
    }

    /// The handshake's headers with one replaced, or left out.
    private func headers(_ name: String, _ value: String?) -> [(String, String)] {
        WireClient.handshakeHeaders.compactMap { $0.0 == name ? value.map { (name, $0) } : $0 }
    }

    @Test(
        "wrong or missing parameters are 400 before the upgrade",
        arguments: [
            "/ws", "/ws?", "/ws?user_id=1", "/ws?login=alice", "/ws?user_id=&login=alice", "/ws?user_id=1&login=",
            "/ws?user_id=x&login=alice", "/ws?user_id=-1&login=alice", "/ws?user_id=1.5&login=alice",
            "/ws?user_id=%31x&login=alice",
            "/ws?user_id=9223372036854775808&login=alice", "/ws?user_id=1&login=a%20b", "/ws?user_id=1&login=%C3%BC",
            "/ws?user_id=1&login=a%3Ab", "/ws?user_id=1&login=a%00", "/ws?user_id=1&login=%zz",
            "/ws?USER_ID=1&LOGIN=alice",
            "/ws?user_id=1&login=" + String(repeating: "x", count: 65),
        ]
    )
    func badParameters(target: String) async throws {
        let answer = try await upgrade(target)
        #expect(answer.status == 400)
        #expect(answer["Content-Type"]?.hasPrefix("application/problem+json") == true)
        #expect(try answer.json["status_code"] == .number("400"))
    }

    @Test(
        "right ones are taken",
        arguments: [
            "user_id=0&login=a", "user_id=9223372036854775807&login=big", "login=swapped&user_id=3",
            "user_id=%34&login=%61lice",
            "user_id=5&login=a%2Bb%40c.d_e-f", "x=y&user_id=6&login=extra&z",
            "user_id=7&login=" + String(repeating: "x", count: 64),
        ]
    )
    func goodParameters(query: String) async throws {
        let client = try await WireClient.connect(port: pod.server.port, "/ws?\(query)")
        #expect(try await client.first("session.ready")["protocol"] == .number("1"))
    }

    @Test("the login of the query is the login of the key")
    func decodedLogin() async throws {
        let user = TestUser(login: "a+b@c.d_e-f")
        let device = try await pod.device(user)
        try await pod.notify(user, message: "decoded")
        #expect(try await device.push()["message"] == .string("decoded"))
    }

    @Test("another version is 426 and names ours", arguments: ["8", "12", "14", "x"])
    func otherVersion(version: String) async throws {
        let answer = try await upgrade("/ws?user_id=1&login=a", headers("Sec-WebSocket-Version", version))
        #expect(answer.status == 426)
        #expect(answer["Sec-WebSocket-Version"] == "13")
    }

    @Test(
        "a missing or wrong key is 400",
        arguments: [nil, "", "short", "dGhlIHNhbXBsZSBub25jZQ", "AAAA", "!!!!IHNhbXBsZSBub25jZQ=="]
    )
    func badKey(key: String?) async throws {
        #expect(try await upgrade("/ws?user_id=1&login=a", headers("Sec-WebSocket-Key", key)).status == 400)
    }

    @Test("a plain GET of /ws is no upgrade")
    func plainGet() async throws {
        for fields in [[], headers("Upgrade", nil), headers("Connection", nil), headers("Upgrade", "h2c")] {
            let status = try await upgrade("/ws?user_id=1&login=a", fields).status
            #expect(status == 400 || status == 426)
        }
    }

    @Test("other methods on /ws are 405")
    func otherMethods() async throws {
        let headers = WireClient.handshakeHeaders
        let answer = try await pod.http().request(
            "POST",
            "/ws?user_id=1&login=a",
            headers: headers,
            body: Array("{}".utf8)
        )
        #expect(answer.status == 405)
        #expect(answer["Allow"]?.contains("GET") == true)
    }

    @Test("header names and tokens are the same in any case and in lists")
    func headerForms() async throws {
        let fields = [
            ("UPGRADE", "WebSocket"), ("connection", "keep-alive, uPgRaDe"), ("sec-websocket-version", "13"),
            ("SEC-WEBSOCKET-KEY", WireClient.key), ("Origin", "https://example.org"), ("User-Agent", "x"),
            ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
        ]
        let http = try pod.http()
        let answer = try await http.request("GET", "/ws?\(TestUser().query)", headers: fields)
        let client = try WireClient(upgraded: http, by: answer)
        #expect(answer["Sec-WebSocket-Extensions"] == nil)
        try await client.expect("session.ready")
    }

    @Test("an upgrade may follow other requests on its connection")
    func afterOtherRequests() async throws {
        let user = TestUser()
        let http = try pod.http()
        #expect(try await http.request("GET", "/health").status == 200)
        try await pod.notify(user, message: "before", on: http)
        #expect(try await http.request("GET", "/nope").status == 404)
        let client = try await WireClient.connect(port: pod.server.port, "/ws?\(user.query)", on: http)
        #expect(try await client.expect("notification.push")["message"] == .string("before"))
        try await client.expect("session.ready")
    }

    @Test("a refused upgrade is answered and ends the connection")
    func afterRefusal() async throws {
        let http = try pod.http()
        let headers = WireClient.handshakeHeaders
        let answer = try await http.request("GET", "/ws?user_id=x&login=a", headers: headers)
        #expect(answer.status == 400)
        #expect(answer["Connection"]?.lowercased() == "close")
        #expect(try await http.closes(within: .seconds(5)))
    }

    @Test("frames sent along with the handshake are not lost")
    func eagerFrames() async throws {
        let http = try pod.http()
        var head = "GET /ws?\(TestUser().query) HTTP/1.1\r\nHost: h\r\n"
        for (name, value) in WireClient.handshakeHeaders { head += "\(name): \(value)\r\n" }
        let frame = WireFrame(1, "{\"type\":\"sync.request\",\"data\":{}}".utf8).bytes()
        try await http.stream.send(Array((head + "\r\n").utf8) + frame)
        let client = try WireClient(upgraded: http, by: try await http.response(to: "GET"))
        #expect(try await client.first("sync.response").array?.isEmpty == true)
    }

    @Test("a handshake may arrive byte by byte")
    func byteByByte() async throws {
        let http = try pod.http()
        var head = "GET /ws?\(TestUser().query) HTTP/1.1\r\nHost: h\r\n"
        for (name, value) in WireClient.handshakeHeaders { head += "\(name): \(value)\r\n" }
        for byte in (head + "\r\n").utf8 { try await http.stream.send([byte]) }
        let client = try WireClient(upgraded: http, by: try await http.response(to: "GET"))
        try await client.expect("session.ready")
    }
}
