import CarillonHTTP
import CarillonTestSupport
import Testing

/// The library's way over real sockets: framing, limits, keep-alive.
@Suite struct LibraryTests {
    @Test func fastAndLibraryRequestsOnOneConnection() async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            try await client.send(post("1") + "GET /live HTTP/1.1\r\nHost: x\r\n\r\n" + post("2") + post("3"))
            #expect(try await client.answer().body == "ok:1")
            #expect(try await client.answer().body == "{\"status\":\"healthy\"}")
            #expect(try await client.answer().body == "ok:2")
            #expect(try await client.answer().body == "ok:3")
            try await client.send(post("4"))
            #expect(try await client.answer().body == "ok:4")
            #expect(server.notified.bodies == ["1", "2", "3", "4"])
        }
    }

    @Test func requestBytesOneByOne() async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            for byte in "GET /live HTTP/1.1\r\nHost: x\r\n\r\n".utf8 {
                try await client.send(String(decoding: [byte], as: UTF8.self))
            }
            #expect(try await client.answer().status == 200)
        }
    }

    @Test(arguments: [
        post("a", line: "POST /api/v1/notify HTTP/1.0"), post("a", "Accept: \u{e9}\r\n"),
        post("a", line: "POST http://x/api/v1/notify HTTP/1.1"), post("a", "X: \t1\r\n"),
    ])
    func unusualFormsAreServed(request: String) async throws {
        try await TestServer.with { server in
            let answer = try await server.ask(request)
            #expect(answer.status == 202)
            #expect(answer.body == "ok:a")
        }
    }

    @Test func notifyChecks() async throws {
        try await TestServer.with { server in
            let line = "POST /api/v1/notify HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
            #expect(try await server.ask(line + "\r\na").status == 415)
            #expect(try await server.ask(line + "Content-Type: text/plain\r\n\r\na").status == 415)
            let json = line + "Content-Type: application/json\r\n"
            #expect(try await server.ask(json + "Content-Encoding: gzip\r\n\r\na").status == 415)
            #expect(try await server.ask(json + "Idempotency-Key:\r\n\r\na").status == 400)
            #expect(try await server.ask(json + "Idempotency-Key: a\r\nIdempotency-Key: a\r\n\r\na").status == 400)
            let key = String(repeating: "k", count: 255)
            #expect(try await server.ask(json + "Idempotency-Key: \(key)k\r\n\r\na").status == 400)
            #expect(server.notified.bodies.isEmpty)
            #expect(
                try await server.ask(json + "Expect: 100-continue\r\nIdempotency-Key: \"\(key)\"\r\n\r\na").status
                    == 100
            )
            try await wait(until: "it is served") { server.notified.keys == [key] }
        }
    }

    // MARK: - Limits

    @Test(arguments: [(9_999, 202), (10_000, 202), (10_001, 413)])
    func bodyLimit(length: Int, status: Int) async throws {
        try await TestServer.with { server in
            let body = String(repeating: "x", count: length)
            let fast = try await server.ask(post(body))
            #expect(fast.status == status)
            // The same in the library's hands, with its length known and unknown beforehand.
            #expect(try await server.ask(post(body, "X: \t1\r\n")).status == status)
            let head = "POST /api/v1/notify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            let chunk = "\(String(length, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
            #expect(try await server.ask(head + "Transfer-Encoding: chunked\r\n\r\n" + chunk).status == status)
        }
    }

    @Test func muchTooLargeBodyIsAnsweredAndClosed() async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            try await client.send(post(String(repeating: "x", count: 3_000_000)))
            let answer = try await client.answer()
            #expect(answer.status == 413)
            #expect(answer["connection"] == "close")
            try await client.waitForClose()
        }
    }

    @Test func expectContinue() async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            try await client.send(String(post("hello", "Expect: 100-continue\r\n").dropLast(5)))
            #expect(try await client.answer().status == 100)
            try await client.send("hello")
            #expect(try await client.answer().body == "ok:hello")

            let large = post(String(repeating: "x", count: 10_001), "Expect: 100-continue\r\n").dropLast(10_001)
            #expect(try await server.ask(String(large)).status == 413)
            #expect(try await server.ask(post("a", "Expect: 200-ok\r\n")).status == 417)
        }
    }

    @Test(arguments: [(15_000, 200), (20_000, 431)])
    func headLimit(length: Int, status: Int) async throws {
        try await TestServer.with { server in
            let answer = try await server.get("/live", headers: "X: \(String(repeating: "a", count: length))\r\n")
            #expect(answer.status == status)
            #expect(try await server.ask(post("a", "X: \(String(repeating: "a", count: 20_000))\r\n")).status == 431)
        }
    }

    // MARK: - Persistence

    @Test func connectionHeaders() async throws {
        try await TestServer.with { server in
            for (request, closes) in [
                ("GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true),
                ("GET /live HTTP/1.0\r\n\r\n", true),
                ("GET /live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false),
                ("GET /live HTTP/1.1\r\nHost: x\r\n\r\n", false),
                ("GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", true),
                ("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true),
            ] {
                let client = try await WireClient(port: server.port)
                defer { client.close() }
                try await client.send(request)
                let answer = try await client.answer()
                #expect((answer["connection"] == "close") == closes)
                if closes {
                    try await client.waitForClose()
                } else {
                    try await client.send(request)
                    #expect(try await client.answer().status == answer.status)
                }
            }
        }
    }

    @Test func manyRequestsAtOnce() async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            try await client.send(String(repeating: "GET /live HTTP/1.1\r\nHost: x\r\n\r\n", count: 100))
            for _ in 0..<100 { #expect(try await client.answer().status == 200) }
        }
    }

    // MARK: - Upgrades

    private static let upgrade =
        "GET /ws?user_id=1&login=a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Key: abc==\r\n\r\n"

    @Test(arguments: [
        "", post("a"), "GET /live HTTP/1.1\r\nHost: x\r\n\r\n", post("a") + "GET /live HTTP/1.1\r\nHost: x\r\n\r\n",
    ])
    func upgradeAfter(requests: String) async throws {
        try await TestServer.with { server in
            for isPipelined in [true, false] {
                let client = try await WireClient(port: server.port)
                defer { client.close() }
                let before = requests.isEmpty ? 0 : requests.split(separator: "Host").count - 1
                let early = "\u{1}early"
                try await client.send(requests + (isPipelined ? Self.upgrade + early : ""))
                for _ in 0..<before {
                    let status = try await client.answer().status
                    #expect(status == 200 || status == 202)
                }
                if !isPipelined { try await client.send(Self.upgrade + early) }
                #expect(try await client.answer().status == 101)
                try await client.send("later")
                try await wait(until: "late bytes") {
                    server.upgraded.lastText == Self.upgrade + early + "later"
                }
                server.upgraded.forgetLater()
            }
        }
    }

    @Test func webSocketPathWithoutUpgrade() async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            let live = "GET /live HTTP/1.1\r\nHost: x\r\n\r\n"
            try await client.send(live + "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n" + live)
            #expect(try await client.answer().status == 200)
            let answer = try await client.answer()
            #expect(answer.status == 426)
            #expect(answer["upgrade"] == "websocket")
            #expect(try await client.answer().status == 200)
        }
    }
}
