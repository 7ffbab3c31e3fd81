import CarillonTestSupport
import Testing

/// Connections that come and go.
@Suite("Churn")
struct ChurnTests {
    @Test("thousands of connections that end at once leave nothing behind")
    func connects() async throws {
        try await Pod.with { pod in
            try await pod.withstands { witness in
                for round in 0..<20 {
                    for _ in 0..<100 { try pod.http().stream.close() }
                    for number in 0..<100 {
                        let stream = try pod.http().stream
                        if number % 2 == 0 { try await stream.send("GET /li".utf8) }
                        stream.reset()
                    }
                    if round % 5 == 0 { try await witness.isServed() }
                }
            }
        }
    }

    @Test("WebSockets and event streams that end with a reset leave neither sockets nor presence")
    func upgrades() async throws {
        try await Pod.with { pod in
            try await pod.withstands { witness in
                let users = (0..<20).map { _ in TestUser() }
                for round in 0..<20 {
                    for user in users {
                        let stream = round % 2 == 0 ? "/ws" : "/api/v1/stream"
                        let head = "GET \(stream)?\(user.query) HTTP/1.1\r\nHost: x\r\n\r\n"
                        let bytes = round % 2 == 0 ? pod.handshake(user) : Array(head.utf8)
                        let connection = try await pod.opened(bytes)
                        // Some are gone before they are answered, some after it.
                        if round % 4 < 2 { _ = try await connection.response(to: "HEAD") }
                        connection.stream.reset()
                    }
                    if round % 5 == 0 { try await witness.isServed() }
                }
                try await wait(until: "only the witness is connected") {
                    try await pod.metric("websocket_connections") == 1
                }
                for user in users {
                    try await wait(until: "the user is nowhere") {
                        try await pod.redis("EXISTS", "notif:conn:\(user.key)").int == 0
                    }
                }
            }
        }
    }

    /// The beginning of a ClientHello, as long as its first lines.
    private static let hello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + Array(repeating: 0xab, count: 32)

    @Test(
        "half a TLS hello, and other bytes that are no HTTP, are a 400",
        arguments: [hello, [0], [0x80, 0, 0, 1], [0xff, 0xfe]]
    )
    func notHTTP(bytes: [UInt8]) async throws {
        try await Pod.with { pod in
            try await pod.withstands { witness in
                for _ in 0..<100 {
                    let connection = try await pod.opened(bytes)
                    #expect(try await connection.response(to: "GET").status == 400)
                    #expect(try await connection.closes())
                }
                try await witness.isServed()
            }
        }
    }

    static let beginnings = [
        "", "GET /li", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "POST /api/v1/notify HTTP/1.1\r\nHost: x\r\n",
        "POST /api/v1/notify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        "GET /api/v1/notifications?user_id=1&login=a&wait=60 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /api/v1/stream?user_id=1&login=a HTTP/1.1\r\nHost: x\r\n\r\n", "<handshake>",
    ]

    @Test("who ends his half of a connection is gone, whatever he has begun", arguments: beginnings)
    func halfClosed(beginning: String) async throws {
        try await Pod.with { pod in
            try await pod.withstands { witness in
                let bytes = beginning == "<handshake>" ? pod.handshake(TestUser()) : Array(beginning.utf8)
                var connections: [HTTPConnection] = []
                for number in 0..<100 {
                    let connection = try await pod.opened(bytes, receiveBytes: 4_096)
                    // Half of them when the server has had time to see what they want, and none of them ever reads.
                    if number == 50 { try await witness.isServed() }
                    connection.stream.closeWriting()
                    connections.append(connection)
                }
                try await witness.isServed()
                let descriptors = try pod.status.descriptors
                try await wait(until: "the server has let go of all of them") {
                    try pod.status.descriptors <= max(30, descriptors - 100)
                }
                for connection in connections { connection.stream.close() }
            }
        }
    }

    @Test("heads that never end are not kept")
    func endlessHeads() async throws {
        try await Pod.with { pod in
            try await pod.withstands { witness in
                let before = try pod.residentBytes
                let letters = [UInt8](repeating: UInt8(ascii: "a"), count: 65_536)
                for _ in 0..<20 {
                    let connection = try await pod.opened("GET /live HTTP/1.1\r\nX: ".utf8)
                    for _ in 0..<16 { try await connection.stream.send(letters) }
                    #expect(try await connection.response(to: "GET").status == 431)
                }
                #expect(try pod.residentBytes < before + 32 << 20)
                try await witness.isServed()
            }
        }
    }
}
