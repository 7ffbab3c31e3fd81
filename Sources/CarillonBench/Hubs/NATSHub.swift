internal import CarillonLoad
internal import CarillonTestSupport
internal import Foundation

/// NATS with JetStream's file store: 100 messages per subject for 15 minutes; devices hold plain subscriptions over WebSocket, and
/// backends publish over TCP and wait for JetStream's acknowledgement. No HTTP, no Redis, no read state.
///
/// - Source: https://docs.nats.io, "Client Protocol" and "JetStream wire API Reference"
actor NATSHub: Hub {
    nonisolated let name = "nats"
    private var server: ChildProcess?
    private var folder = URL(filePath: "/")
    private var port = 0
    private var webSocketPort = 0

    private static let greeting =
        #"CONNECT {"verbose":false,"pedantic":false,"lang":"swift","version":"1","protocol":1}"#

    /// Nil where it is installed; else what is missing.
    static var missing: String? {
        InstalledProgram.path("nats-server") == nil ? "nats-server is not installed" : nil
    }

    func start() async throws {
        port = try BuiltProgram.freePort()
        webSocketPort = try BuiltProgram.freePort()
        folder = FileManager.default.temporaryDirectory.appending(path: "carillon-nats-\(port)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let configuration = """
            listen: "127.0.0.1:\(port)"
            jetstream { store_dir: "\(folder.path)/store" }
            websocket { listen: "127.0.0.1:\(webSocketPort)", no_tls: true }
            max_connections: 19900

            """
        try configuration.write(to: folder.appending(path: "nats.conf"), atomically: true, encoding: .utf8)
        try await restart()
        try await createStream()
    }

    func crash() { server?.kill() }

    func restart() async throws {
        let server = try ChildProcess(
            InstalledProgram.path("nats-server") ?? "nats-server",
            ["-c", folder.appending(path: "nats.conf").path]
        )
        self.server = server
        try await wait(until: "nats-server serves") {
            guard server.exitStatus == nil else { throw BenchError("nats-server ended: \(server.standardError)") }
            return (try? WireStream(port: port)) != nil && (try? WireStream(port: webSocketPort)) != nil
        }
    }

    func stop() {
        crash()
        server = nil
        try? FileManager.default.removeItem(at: folder)
    }

    /// One stream for the subjects of all users.
    private func createStream() async throws {
        let request = """
            {"name":"BENCH","subjects":["u.*"],"storage":"file","retention":"limits","discard":"old","num_replicas":1,\
            "max_msgs_per_subject":100,"max_age":900000000000,"max_msgs":-1,"max_bytes":-1}
            """
        let lines =
            "\(Self.greeting)\r\nSUB answer 1\r\nPUB $JS.API.STREAM.CREATE.BENCH answer \(request.utf8.count)\r\n\(request)\r\n"
        let stream = try WireStream(port: port)
        _ = try await stream.send(Array(lines.utf8))
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            let line = String(decoding: try await stream.line(by: deadline, "JetStream's answer"), as: UTF8.self)
            if line.contains("\"error\"") || line.hasPrefix("-ERR") { throw BenchError("JetStream: \(line)") }
            if line.contains("stream_create_response") { return }
        }
    }

    func wire(_ shape: LoadShape) -> HubWire {
        let message = #"{"message":"<message>","source":"bench"}"#
        let length = message.utf8.count - "<message>".utf8.count + shape.messageBytes
        return HubWire(
            subscribers: [.loopback(port: webSocketPort)],
            publishers: [.loopback(port: port)],
            target: Template("/"),
            hello: Template("\(Self.greeting)\r\nSUB u.<user> 1\r\nPING\r\n"),
            sendsBinary: true,
            ready: .frame("PONG"),
            liveness: ("PING\r\n", "PONG\r\n"),
            publishing: .lines(
                hello: Template("\(Self.greeting)\r\nSUB answer.<publisher> 1\r\n"),
                publish: Template("PUB u.<user> answer.<publisher> \(length)\r\n\(message)\r\n"),
                answer: #""stream":"BENCH""#
            )
        )
    }

    func processes() -> ProcessMeter? { server.map { ProcessMeter(pids: [$0.processID]) } }

    func redis() -> [RedisProcess] { [] }
}
