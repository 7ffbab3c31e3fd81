import Testing

/// Requests whose end can be read in two ways, each with a second request hidden where one of the ways would find it.
@Suite struct SmugglingTests {
    private static let hidden =
        "POST /api/v1/notify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + "Content-Length: 6\r\n\r\nHIDDEN"
    private static let line = "POST /api/v1/notify HTTP/1.1\r\n"
    private static let json = "Host: x\r\nContent-Type: application/json\r\n"
    private static let chunked = "0\r\n\r\n"

    @Test(arguments: [
        line + json + "Content-Length: 0\r\nContent-Length: 200\r\n\r\n",
        line + json + "Content-Length: 200\r\nContent-Length: 0\r\n\r\n",
        line + json + "Content-Length: 0, 200\r\n\r\n",
        line + json + "Content-Length: +0\r\n\r\n",
        line + json + "Content-Length: 0x0\r\n\r\n",
        line + json + "Content-Length: -1\r\n\r\n",
        line + json + "Content-Length: 0 0\r\n\r\n",
        line + json + "Content-Length: \r\n\r\n",
        line + json + "Content-Length: 99999999999999999999\r\n\r\n",
        line + json + "Content-Length : 0\r\n\r\n",
        line + json + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding: xchunked\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding: identity\r\n\r\n",
        line + json + "Transfer-Encoding: identity, chunked\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding : chunked\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding:\u{b}chunked\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n" + chunked,
        line + json + "Transfer-Encoding: chunked\r\n\r\n0\n\r\n",
        line + json + "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        line + json + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        line + json + "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",
        line + json + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        line + json + "X: 1\r\n folded\r\nContent-Length: 0\r\n\r\n",
        line + json + " Content-Length: 0\r\n\r\n",
        line + json + "X: 1\nContent-Length: 0\r\n\r\n",
        line + json + "X: 1\rContent-Length: 0\r\n\r\n",
        line + json + "Content-Length: 0\r\n\n",
        line + json + "Content-Length: 0\n\n",
        line + json + "X: a\u{0}b\r\nContent-Length: 0\r\n\r\n",
        line + json + "X\u{0}: a\r\nContent-Length: 0\r\n\r\n",
        line + json + "X Y: a\r\nContent-Length: 0\r\n\r\n",
        line + json + ": a\r\nContent-Length: 0\r\n\r\n",
        line + json + "no colon\r\nContent-Length: 0\r\n\r\n",
        line + json + "Host: y\r\nContent-Length: 0\r\n\r\n",
        line + "Content-Type: application/json\r\nContent-Length: 0\r\n\r\n",
        "POST /api/v1/notify HTTP/1.0\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n" + chunked,
        "POST /api/v1/notify HTTP/2.0\r\n" + json + "Content-Length: 0\r\n\r\n",
        "POST /api/v1/notify HTTP/1.1 x\r\n" + json + "Content-Length: 0\r\n\r\n",
        "POST /api/v1/notify\r\n\r\n",
        "POST /api/v1/not\u{0}ify HTTP/1.1\r\n" + json + "Content-Length: 0\r\n\r\n",
        "\u{0}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
    ])
    func isRefused(attempt: String) async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            // Behind a good request, so that the connection is known to be persistent.
            try await client.send(post("first") + attempt + Self.hidden)
            #expect(try await client.answer().status == 202)
            #expect(try await client.answer().status == 400)
            try await client.waitForClose()
            #expect(client.received.isEmpty)
            #expect(server.notified.bodies == ["first"])
        }
    }

    /// What is unambiguous is served, and what follows it is a request of its own.
    @Test func chunkedBodyIsServed() async throws {
        try await TestServer.with { server in
            let client = try await WireClient(port: server.port)
            defer { client.close() }
            let head = Self.line + Self.json + "Transfer-Encoding: chunked\r\n\r\n"
            try await client.send(head + "2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nTrailer: x\r\n\r\n" + Self.hidden)
            #expect(try await client.answer().body == "ok:abcde")
            #expect(try await client.answer().body == "ok:HIDDEN")
        }
    }
}
