import CarillonHTTP
import CarillonTestSupport
import Testing

/// Long answers of which nobody takes anything.
///
/// What the system takes of an answer does not wait in the server. By itself that is megabytes, so both ends have small buffers.
@Suite struct UnreadAnswerTests {
    private static let length = 1_000_000
    private static let metrics = FakeMetrics(text: String(repeating: "x", count: length))
    /// A machine may be busy with other tests for long.
    private static let patience = Duration.seconds(120)

    private func serve(limit: Int, _ body: (TestServer) async throws -> Void) async throws {
        let configure = { (configuration: inout HTTPConfiguration) in
            configuration.unreadLimitBytes = limit
            configuration.sendBufferBytes = 65_536
            // Nobody is cut for taking nothing but by the limit.
            configuration.idleSeconds = 600
        }
        try await TestServer.with(configure, metrics: Self.metrics, body)
    }

    private func ask(_ server: TestServer) async throws -> HTTPConnection {
        let connection = try HTTPConnection(port: server.port, receiveBytes: 4_096)
        try await connection.stream.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        // It has begun to arrive.
        _ = try await connection.stream.line(by: .now + Self.patience, "a status line")
        return connection
    }

    /// Whether the rest of the answer comes.
    private func isWhole(_ connection: HTTPConnection) async throws -> Bool {
        do {
            let deadline = ContinuousClock.now + Self.patience
            while try await !connection.stream.line(by: deadline, "a header").isEmpty {}
            return try await connection.stream.exactly(Self.length, by: deadline, "the body").count == Self.length
        } catch WireError.closed {
            return false
        }
    }

    @Test("of answers that wait, one too many drives the one out that has waited longest", arguments: [2, 3])
    func limit(count: Int) async throws {
        try await serve(limit: 2 * Self.length) { server in
            var answers: [HTTPConnection] = []
            for _ in 0..<count { answers.append(try await ask(server)) }
            #expect(try await server.get("/live").status == 200)
            for (number, answer) in answers.enumerated() {
                #expect(try await isWhole(answer) == (count == 2 || number > 0))
            }
        }
    }

    @Test("one answer may be longer than all that may wait")
    func newest() async throws {
        try await serve(limit: Self.length / 10) { server in
            let first = try await ask(server)
            let second = try await ask(server)
            #expect(try await !isWhole(first))
            #expect(try await isWhole(second))
        }
    }
}
