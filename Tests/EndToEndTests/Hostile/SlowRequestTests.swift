import CarillonTestSupport
import Testing

/// Requests that come so slowly that they never come.
@Suite("Slow requests")
struct SlowRequestTests {
    private static let json = "Host: x\r\nContent-Type: application/json\r\n"

    /// Each is followed by single bytes.
    private static let beginnings = [
        "GET /live HTTP/1.1\r\nHost: x\r\nX: ", "POST /api/v1/notify HTTP/1.1\r\nX: ",
        "GET /ws?user_id=1&login=a HTTP/1.1\r\nX: ", "GET /", "POST /api/v1/not",
        "POST /api/v1/notify HTTP/1.1\r\n\(json)Content-Length: 1000\r\n\r\n",
        "POST /api/v1/notify HTTP/1.1\r\n\(json)Transfer-Encoding: chunked\r\n\r\nffff\r\n",
        "POST /api/v1/notify HTTP/1.1\r\n\(json)Transfer-Encoding: chunked\r\n\r\n1;x=",
        "POST /api/v1/notify HTTP/1.1\r\n\(json)Transfer-Encoding: chunked\r\n\r\n0\r\nX: ",
    ]

    @Test("a byte a second, by many at once: 408 after 30 s, and nobody else waits")
    func drip() async throws {
        try await Pod.with(["PING_INTERVAL": "1s"]) { pod in
            try await pod.withstands { witness in
                let begun = ContinuousClock.now
                var connections: [HTTPConnection] = []
                for number in 0..<270 {
                    let beginning = Self.beginnings[number % Self.beginnings.count]
                    connections.append(try await pod.opened(Array(beginning.utf8)))
                }
                // The server's own seconds.
                for _ in 0..<28 {
                    try await witness.hearsPing()
                    for connection in connections { try await connection.stream.send("a".utf8) }
                }
                try await witness.isServed()
                #expect(ContinuousClock.now - begun < .seconds(60))
                for (number, connection) in connections.enumerated() {
                    let answer = try await connection.response(to: "POST", within: .seconds(10))
                    #expect(answer.status == 408, "\(Self.beginnings[number % Self.beginnings.count])")
                    #expect(answer["Connection"] == "close")
                    #expect(try await connection.closes())
                    connection.stream.close()
                    // Who does not listen is taken for dead.
                    if number % 10 == 0 { try await witness.isServed() }
                }
                #expect(ContinuousClock.now - begun >= .seconds(29))
            }
        }
    }

    /// The fast way gives the request to the library where the head ends in something unusual; its time goes on.
    @Test("a head that takes most of the time leaves the body the rest")
    func headThenBody() async throws {
        try await Pod.with(["PING_INTERVAL": "1s"]) { pod in
            try await pod.withstands { witness in
                let begun = ContinuousClock.now
                let connection = try await pod.opened(Array("POST /api/v1/notify HTTP/1.1\r\n\(Self.json)X: ".utf8))
                for _ in 0..<20 { try await witness.hearsPing() }
                try await connection.stream.send(Array("\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n".utf8))
                for _ in 0..<10 { try await witness.hearsPing() }
                let answer = try await connection.response(to: "POST", within: .seconds(8))
                #expect(answer.status == 408)
                #expect(ContinuousClock.now - begun < .seconds(40))
                connection.stream.close()
            }
        }
    }
}
