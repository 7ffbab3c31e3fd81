import CarillonHTTP
import CarillonTestSupport
import Synchronization
import Testing

/// Requests for event streams leave the library.
@Suite("Stream requests")
struct StreamRequestTests {
    private static let live = "GET /live HTTP/1.1\r\nHost: x\r\n\r\n"

    private func stream(_ target: String, method: String = "GET", _ headers: String = "") -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n"
    }

    @Test("query, Last-Event-ID and method are handed over")
    func request() async throws {
        try await TestServer.with { server in
            for (text, query, id, isHead) in [
                (stream("/api/v1/stream"), "", nil, false),
                (stream("/api/v1/stream?a=%41&b"), "a=%41&b", nil, false),
                (stream("/api/v1/stream?", method: "GET", "Last-Event-ID: 1-0\r\n"), "", "1-0", false),
                (stream("/api/v1/stream?a=b?c", method: "HEAD"), "a=b?c", nil, true),
                ("GET /api/v1/stream?old HTTP/1.0\r\n\r\n", "old", nil, false),
            ] as [(String, String, String?, Bool)] {
                #expect(try await server.ask(text).status == 200)
                let request = try #require(server.upgraded.streams.withLock { $0.popLast() })
                #expect(request.query == query)
                #expect(request.lastEventID == id)
                #expect(request.isHead == isHead)
                #expect(request.answerLines.hasPrefix("date: "))
            }
        }
    }

    /// The parser has read on in what was sent ahead, whatever that is.
    @Test(
        "behind other requests, and with anything behind it",
        arguments: [
            "", live, live + live, "GET /li", "\r\nno HTTP\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: x\r\nUpgrade: y\r\n\r\nrest",
        ]
    )
    func pipelined(behind: String) async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            try await client.send(Self.live + stream("/api/v1/stream?x") + behind)
            #expect(try await client.answer().status == 200)
            #expect(try await client.answer().status == 200)
            try await client.send("later")
            try await wait(until: "the target hears the connection") { server.upgraded.laterText.hasSuffix("later") }
            #expect(server.upgraded.streams.withLock { $0.map(\.query) } == ["x"])
            server.upgraded.forgetLater()
        }
    }

    @Test("other methods and paths stay with the routes")
    func others() async throws {
        try await TestServer.with { server in
            let answer = try await server.get("/api/v1/stream", method: "POST")
            #expect(answer.status == 405)
            #expect(answer["allow"] == "GET, HEAD, OPTIONS")
            #expect(try await server.get("/api/v1/stream", method: "OPTIONS").status == 204)
            #expect(try await server.get("/api/v1/streams").status == 404)
            #expect(try await server.get("/api/v1/stream/").status == 404)
            #expect(server.upgraded.streams.withLock { $0.isEmpty })
        }
    }
}
