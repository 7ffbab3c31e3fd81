import CarillonChaos
import CarillonLoad
import CarillonTestSupport
import NIOCore
import NIOPosix

/// A ledger and a fleet on an event loop of their own, reached from a test's task.
final class LoadRun: Sendable {
    private let loop: any EventLoop
    private let parts: NIOLoopBound<Parts>

    private struct Parts {
        let ledger: Ledger
        let fleet: Fleet
    }

    private init(loop: any EventLoop, parts: NIOLoopBound<Parts>) {
        self.loop = loop
        self.parts = parts
    }

    static func make(_ plan: FleetPlan, ports: [Int], seed: UInt64 = 1) async throws -> LoadRun {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let parts = try await loop.submit {
            let ledger = Ledger()
            let fleet = Fleet(eventLoop: loop, plan: plan, ports: ports, ledger: ledger, seed: seed)
            return NIOLoopBound(Parts(ledger: ledger, fleet: fleet), eventLoop: loop)
        }.get()
        return LoadRun(loop: loop, parts: parts)
    }

    func call<T: Sendable>(_ body: @escaping @Sendable (Fleet, Ledger) -> T) async throws -> T {
        try await loop.submit { [parts] in body(parts.value.fleet, parts.value.ledger) }.get()
    }

    /// Posts end, everything settles, all connections end. - Returns: the closed book.
    func finish(within: Duration = .seconds(15)) async throws -> LedgerSnapshot {
        try await call { fleet, _ in fleet.stopPosting() }
        try? await wait(until: "everything settles", within: within) { try await call { fleet, _ in fleet.isSettled } }
        return try await call { _, ledger in ledger.snapshot() }
    }

    func stop() async throws { try await call { fleet, _ in fleet.stop() } }
}

/// Pods on one Redis, ended with the body.
func withPods(
    _ count: Int,
    environment: [String: String] = [:],
    _ body: (RedisProcess, [ServerProcess]) async throws -> Void
) async throws {
    let redis = try await RedisProcess.start()
    var pods: [ServerProcess] = []
    defer { pods.forEach { $0.kill() } }
    do {
        let environment = ["STREAM_MAXLEN": "100000"].merging(environment) { $1 }
        for _ in 0..<count {
            pods.append(try await ServerProcess.start(redisPort: redis.port, environment: environment))
        }
        try await body(redis, pods)
    } catch {
        await redis.stop()
        throw error
    }
    await redis.stop()
}
