import CarillonTestSupport
import Foundation
import Testing

extension Pod {
    /// Does what hostile clients do, and checks what is left of it: nothing. Descriptors are those of before, memory is
    /// again within `slack` of it, and a user who had nothing to do with it is served before, meanwhile and after.
    ///
    /// - Parameter body: Is given that user, to see that he is served, and drops its own connections before it returns.
    func withstands(
        slack: Int = 48 << 20,
        _ body: (Witness) async throws -> Void
    ) async throws {
        let witness = try await Witness(self)
        try await witness.isServed()
        // The first of everything stays: code that is paged in, and what pools keep.
        let before = try status
        try await body(witness)
        try await witness.isServed()
        try await wait(until: "all descriptors are given back", within: .seconds(30)) {
            try status.descriptors <= before.descriptors
        }
        try await wait(until: "memory is given back", within: .seconds(30)) {
            try residentBytes <= before.residentBytes + slack
        }
        #expect(server.process.exitStatus == nil)
    }

    /// What the server holds at this moment.
    var status: ProcessStatus { get throws { try #require(ProcessStatus(pid: server.process.processID)) } }

    /// Memory of the server at this moment; nothing where a sanitizer is built in, which keeps what is freed.
    var residentBytes: Int {
        get throws {
            let isSanitized = ProcessInfo.processInfo.environment["CARILLON_TEST_SANITIZED"] != nil
            return isSanitized ? 0 : try status.residentBytes
        }
    }

    /// A connection that has said this.
    func opened(_ bytes: some Sequence<UInt8>, receiveBytes: Int32? = nil) async throws -> HTTPConnection {
        let connection = try HTTPConnection(port: server.port, receiveBytes: receiveBytes)
        try await connection.stream.send(bytes)
        return connection
    }

    /// A WebSocket handshake as bytes.
    func handshake(_ user: TestUser, _ fields: [(String, String)] = []) -> [UInt8] {
        let lines = (WireClient.handshakeHeaders + fields).map { "\($0): \($1)\r\n" }.joined()
        return Array("GET /ws?\(user.query) HTTP/1.1\r\nHost: h\r\n\(lines)\r\n".utf8)
    }
}

/// A user who does nothing wrong.
///
/// - Isolation: the task that made it
final class Witness {
    private let pod: Pod
    private let user = TestUser()
    private let device: Device
    private let http: HTTPConnection
    private var count = 0

    init(_ pod: Pod) async throws {
        self.pod = pod
        device = try await pod.device(user)
        http = try pod.http()
    }

    /// A post of his is taken, and his device hears of it, over connections that have been there all the time.
    func isServed() async throws {
        count += 1
        try await pod.notify(user, message: "\(count)", on: http)
        let push = try await device.push(within: .seconds(10))
        #expect(push["message"] == .string("\(count)"))
    }

    /// Waits for the next ping of the server: a clock that ticks every `PING_INTERVAL`.
    func hearsPing() async throws {
        while true {
            let frame = try await device.client.frame(within: .seconds(10))
            guard frame.opcode == WireFrame.ping else { continue }
            return try await device.client.send(WireFrame(WireFrame.pong, frame.payload))
        }
    }
}

@available(*, unavailable)
extension Witness: Sendable {}
