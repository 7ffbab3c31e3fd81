import CarillonLoad
import CarillonTestSupport
import NIOCore

@testable import CarillonBench

/// A hub with known faults, so that a bench can be asked whether it sees them: of each user's messages some are never delivered,
/// some twice, some after the next one, and some requests are refused.
actor FaultyHub: Hub {
    struct Faults: Sendable {
        /// Of the messages, each so many-th: 0 for none.
        var dropsEach = 0
        var repeatsEach = 0
        var swapsEach = 0
        var refusesEach = 0
    }

    nonisolated let name = "faulty"
    private let faults: Faults
    private var server: BareServer?

    init(_ faults: Faults) { self.faults = faults }

    func start() async throws {
        server = try await BareServer { [faults] in Self.route(faults) }
    }

    private static func route(_ faults: Faults) -> BareServer.Route {
        var posts = 0
        var held: [String: ByteBuffer] = [:]
        return { user, message, deliver in
            posts += 1
            func isEach(_ count: Int) -> Bool { count > 0 && posts % count == 0 }
            if isEach(faults.refusesEach) { return false }
            if isEach(faults.swapsEach), held[user] == nil {
                held[user] = message
            } else if !isEach(faults.dropsEach) {
                deliver(message)
                if isEach(faults.repeatsEach) { deliver(message) }
                if let late = held.removeValue(forKey: user) { deliver(late) }
            }
            return true
        }
    }

    func crash() {}

    func restart() {}

    func stop() async { await server?.stop() }

    func wire(_ shape: LoadShape) -> HubWire {
        let address = LoadAddress.loopback(port: server?.port ?? 0)
        return HubWire(
            subscribers: [address],
            publishers: [address],
            target: Template("/<user>"),
            publishing: .http(path: Template("/<user>"), body: Template("<message>"))
        )
    }

    func processes() -> ProcessMeter? { nil }

    func redis() -> [RedisProcess] { [] }
}
