import CarillonTestSupport
import Testing

/// Request heads at, under and over their limits, on every way that requests take through the server.
@Suite("Limits of heads", .pod())
struct HeadLimitTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    private static let limit = 16_384

    /// A request whose head has exactly so many bytes.
    private static func head(_ line: String, _ fields: String, bytes: Int) -> [UInt8] {
        let front = "\(line)\r\nHost: x\r\n\(fields)X: "
        return Array((front + String(repeating: "a", count: bytes - front.utf8.count - 4) + "\r\n\r\n").utf8)
    }

    private static let upgrade = WireClient.handshakeHeaders.map { "\($0): \($1)\r\n" }.joined()

    /// Method, target, fields, body, and what is answered where the head is short enough.
    static let ways: [(String, String, String, String, Int)] = [
        ("GET", "/live", "", "", 200),
        ("GET", "/api/v1/notifications?user_id=1&login=a", "", "", 200),
        ("POST", "/api/v1/notify", "Content-Type: application/json\r\nContent-Length: 2\r\n", "{}", 422),
        ("POST", "/api/v1/notify?x", "Content-Type: application/json\r\nContent-Length: 2\r\n", "{}", 422),
        ("GET", "/ws?user_id=1&login=a", upgrade, "", 101),
        ("GET", "/api/v1/stream?user_id=1&login=a", "", "", 200),
    ]

    @Test("16 KiB, to the byte", arguments: ways.indices)
    func size(way: Int) async throws {
        let (method, target, fields, body, status) = Self.ways[way]
        for (bytes, expected) in [(Self.limit - 1, status), (Self.limit, status), (Self.limit + 1, 431)] {
            let head = Self.head("\(method) \(target) HTTP/1.1", fields, bytes: bytes)
            let connection = try await pod.opened(head + Array(body.utf8))
            // A stream's body has no end.
            let answer = try await connection.response(to: expected == 431 ? method : "HEAD")
            #expect(answer.status == expected, "\(target), \(bytes) bytes")
            if expected == 431 { #expect(try answer.json["error"] == .string("head_too_large")) }
        }
    }

    @Test("the target counts, too", arguments: [(16_384, 404), (16_385, 431)])
    func target(bytes: Int, status: Int) async throws {
        let target = String(repeating: "a", count: bytes - "GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8.count)
        let connection = try await pod.opened(Array("GET /\(target) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        #expect(try await connection.response(to: "GET").status == status)
    }

    @Test("fewer than 100 fields", arguments: [(98, 200), (99, 200), (100, 431), (101, 431)])
    func count(fields: Int, status: Int) async throws {
        let lines = (1..<fields).map { "X\($0): a\r\n" }.joined()
        let connection = try await pod.opened(Array("GET /live HTTP/1.1\r\nHost: x\r\n\(lines)\r\n".utf8))
        #expect(try await connection.response(to: "GET").status == status)
    }

    @Test("plain posts and handshakes may have more")
    func exempt() async throws {
        let lines = (1...200).map { ("X\($0)", "a") }
        let body = Array(notifyBody([TestUser()], "m").utf8)
        #expect(try await pod.post(body, headers: [("Content-Type", "application/json")] + lines).status == 202)
        let connection = try await pod.opened(pod.handshake(TestUser(), lines))
        #expect(try await connection.response(to: "GET").status == 101)
    }

    @Test("what follows a chunked body is held to the same", arguments: [(1, 20_000), (200, 1)])
    func trailers(count: Int, length: Int) async throws {
        let value = String(repeating: "a", count: length)
        let lines = (0..<count).map { "X\($0): \(value)\r\n" }.joined()
        let fields = "Host: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        let request = "POST /api/v1/notify HTTP/1.1\r\n\(fields)2\r\n{}\r\n0\r\n\(lines)\r\n"
        #expect(try await pod.opened(Array(request.utf8)).response(to: "POST").status == 431)
    }
}
