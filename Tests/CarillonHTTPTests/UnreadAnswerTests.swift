import CarillonHTTP
import CarillonTestSupport
import Testing

/// Long answers of which nobody takes anything.
@Suite struct UnreadAnswerTests {
    private static let length = 24_000_000

    private func ask(_ server: TestServer) async throws -> HTTPConnection {
        let connection = try HTTPConnection(port: server.port, receiveBytes: 4_096)
        try await connection.stream.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        // It has begun to arrive.
        _ = try await connection.stream.line(by: .now + .seconds(10), "a status line")
        return connection
    }

    /// Whether the rest of the answer comes.
    private func isWhole(_ connection: HTTPConnection) async throws -> Bool {
        do {
            let deadline = ContinuousClock.now + .seconds(20)
            while try await !connection.stream.line(by: deadline, "a header").isEmpty {}
            return try await connection.stream.exactly(Self.length, by: deadline, "the body").count == Self.length
        } catch WireError.closed {
            return false
        }
    }

    /// What the kernel takes of an answer does not count, which is a few megabytes.
    @Test("of answers that wait, one too many drives the one out that has waited longest", arguments: [2, 3])
    func limit(count: Int) async throws {
        let metrics = FakeMetrics(text: String(repeating: "x", count: Self.length))
        let limit = { (configuration: inout HTTPConfiguration) in configuration.unreadLimitBytes = 2 * Self.length }
        try await TestServer.with(limit, metrics: metrics) { server in
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
        let metrics = FakeMetrics(text: String(repeating: "x", count: Self.length))
        let limit = { (configuration: inout HTTPConfiguration) in configuration.unreadLimitBytes = 1_000_000 }
        try await TestServer.with(limit, metrics: metrics) { server in
            let first = try await ask(server)
            let second = try await ask(server)
            #expect(try await !isWhole(first))
            #expect(try await isWhole(second))
        }
    }
}
