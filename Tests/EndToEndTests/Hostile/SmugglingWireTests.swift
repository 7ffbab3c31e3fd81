import CarillonTestSupport
import Testing

/// Requests hidden in the bodies of others, sent to the real program: whatever it answers, the hidden one is never taken.
@Suite("Smuggling", .pod())
struct SmugglingWireTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    private static let line = "POST /api/v1/notify HTTP/1.1\r\n"
    private static let json = "Host: x\r\nContent-Type: application/json\r\n"

    private static func post(_ body: String) -> String {
        line + json + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
    }

    /// Fields and what follows them, between which parsers could disagree; the hidden request comes behind. `<n>` is its length.
    static let ambiguous = [
        // CL.CL
        "Content-Length: 0\r\nContent-Length: <n>\r\n\r\n", "Content-Length: <n>\r\nContent-Length: 0\r\n\r\n",
        "Content-Length: 0\r\ncontent-length: 0\r\n\r\n", "Content-Length: 0, <n>\r\n\r\n",
        "Content-Length: 0,0\r\n\r\n",
        "Content-Length: 0 <n>\r\n\r\n", "Content-Length: +0\r\n\r\n", "Content-Length: -0\r\n\r\n",
        "Content-Length: 0x0\r\n\r\n", "Content-Length:\r\n\r\n", "Content-Length : 0\r\n\r\n",
        // CL.TE and TE.CL
        "Content-Length: <n>\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: \tchunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        // TE.TE
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\u{b}chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        // Folded lines, bare line feeds and carriage returns
        "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "X: 1\r\n Content-Length: 0\r\n\r\n",
        "X: 1\r\n\tfolded\r\nContent-Length: 0\r\n\r\n", "X: 1\nContent-Length: 0\r\n\r\n", "Content-Length: 0\n\n",
        "Content-Length: 0\r\n\n", "X: 1\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\n\rX: 1\r\n\r\n",
        // Chunks
        "Transfer-Encoding: chunked\r\n\r\n0\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0 \r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1;x\n\na\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1;x=\"\r\na\r\n0\r\n\r\n\"",
    ]

    @Test("ambiguous requests are refused and end their connection", arguments: ambiguous)
    func refused(fields: String) async throws {
        let (first, hidden) = (TestUser(), TestUser())
        let trap = Self.post(notifyBody([hidden], "hidden"))
        let attempt = Self.line + Self.json + fields.replacing("<n>", with: "\(trap.utf8.count)")
        // As the second request of a connection, behind one of each way that requests take.
        for before in [Self.post(notifyBody([first], "first")), "GET /live HTTP/1.1\r\nHost: x\r\n\r\n"] {
            let connection = try await pod.opened(Array((before + attempt + trap).utf8))
            let earlier = try await connection.response(to: "POST")
            #expect([200, 202].contains(earlier.status))
            let answer = try await connection.response(to: "POST")
            #expect(answer.status == 400)
            #expect(answer["Connection"] == "close")
            let rest = try await connection.stream.toEnd(by: .now + .seconds(5), "the end")
            #expect(rest.isEmpty, "\(String(decoding: rest, as: UTF8.self))")
        }
        #expect(try await pod.redis("EXISTS", hidden.stream).int == 0)
    }

    /// Requests with a body that nobody wants: it belongs to them all the same. Their beginning, and their answer.
    static let bodies = [
        ("GET /live HTTP/1.1\r\n", 200), ("HEAD /live HTTP/1.1\r\n", 200), ("OPTIONS /health HTTP/1.1\r\n", 204),
        ("GET / HTTP/1.1\r\n", 200), ("POST /nope HTTP/1.1\r\n", 404), ("PUT /api/v1/notify HTTP/1.1\r\n", 405),
        ("POST /api/v1/notify HTTP/1.1\r\nContent-Type: text/plain\r\n", 415),
        ("POST /api/v1/notify HTTP/1.1\r\nContent-Type: application/json\r\n", 400),
        ("POST /api/v1/notify HTTP/1.1\r\nContent-Type: application/json\r\nX-Odd: \t1\r\n", 400),
    ]

    @Test("a body is never read as a request, and what follows it is", arguments: bodies.indices)
    func bodyStaysBody(index: Int) async throws {
        let (start, status) = Self.bodies[index]
        let (hidden, next) = (TestUser(), TestUser())
        let trap = Self.post(notifyBody([hidden], "hidden"))
        let method = String(start.prefix { $0 != " " })
        let length = String(trap.utf8.count, radix: 16)
        for framed in [
            "Content-Length: \(trap.utf8.count)\r\n\r\n\(trap)",
            "Transfer-Encoding: chunked\r\n\r\n\(length);a=\"POST / HTTP/1.1\"\r\n\(trap)\r\n0\r\nX: 1\r\n\r\n",
        ] {
            let requests = "\(start)Host: x\r\n\(framed)" + Self.post(notifyBody([next], "next"))
            let connection = try await pod.opened(Array(requests.utf8))
            let answer = try await connection.response(to: method)
            #expect(answer.status == status)
            let following = try await connection.response(to: "POST")
            #expect(following.status == 202)
        }
        #expect(try await pod.redis("EXISTS", hidden.stream).int == 0)
        #expect(try await pod.redis("XLEN", next.stream).int == 2)
    }

    @Test(
        "a handshake with a body is refused, and frames are no requests",
        arguments: ["GET /ws", "GET /api/v1/stream"]
    )
    func upgrades(start: String) async throws {
        let hidden = TestUser()
        let trap = Self.post(notifyBody([hidden], "hidden"))
        let fields =
            WireClient.handshakeHeaders.map { "\($0): \($1)\r\n" }.joined() + "Content-Length: \(trap.utf8.count)\r\n"
        let head = "\(start)?\(TestUser().query) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"
        let connection = try await pod.opened(Array((head + trap).utf8))
        let answer = try await connection.response(to: "HEAD")
        #expect(answer.status == (start == "GET /ws" ? 400 : 200))
        let frames = try await WireClient.connect(port: pod.server.port, "/ws?\(TestUser().query)")
        try await frames.send(bytes: Array(trap.utf8))
        #expect(try await frames.closing().code == 1002)
        #expect(try await pod.redis("EXISTS", hidden.stream).int == 0)
    }

    @Test("what is refused before its body is read takes nothing of it for a request")
    func refusedEarly() async throws {
        let hidden = TestUser()
        let trap = Self.post(notifyBody([hidden], "hidden"))
        for fields in ["Content-Length: 1048577\r\n", "Expect: 200-ok\r\nContent-Length: \(trap.utf8.count)\r\n"] {
            let connection = try await pod.opened(Array("\(Self.line)\(Self.json)\(fields)\r\n\(trap)".utf8))
            #expect([413, 417].contains(try await connection.response(to: "POST").status))
            #expect(try await connection.stream.toEnd(by: .now + .seconds(5), "the end").isEmpty)
        }
        #expect(try await pod.redis("EXISTS", hidden.stream).int == 0)
    }
}
