internal import CarillonLoad
internal import CarillonTestSupport
internal import Foundation

/// `BareServer` in a process of its own: the floor under every hub that is built on SwiftNIO.
actor BareHub: Hub {
    nonisolated let name = "bare"
    private var server: ChildProcess?
    private var port = 0

    func start() async throws {
        port = try BuiltProgram.freePort()
        try await restart()
    }

    func crash() { server?.kill() }

    func restart() async throws {
        let server = try ChildProcess("/proc/self/exe", ["--serve-bare", "\(port)"])
        self.server = server
        try await wait(until: "the bare server serves") {
            guard server.exitStatus == nil else { throw BenchError("the bare server ended: \(server.standardError)") }
            return (try? WireStream(port: port)) != nil
        }
    }

    func stop() {
        crash()
        server = nil
    }

    func wire(_ shape: LoadShape) -> HubWire {
        let address = LoadAddress.loopback(port: port)
        return HubWire(
            subscribers: [address],
            publishers: [address],
            target: Template("/<user>"),
            publishing: .http(path: Template("/<user>"), body: Template(#"{"message":"<message>","source":"bench"}"#))
        )
    }

    func processes() -> ProcessMeter? { server.map { ProcessMeter(pids: [$0.processID]) } }

    func redis() -> [RedisProcess] { [] }
}
