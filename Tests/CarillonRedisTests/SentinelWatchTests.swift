import CarillonTestSupport
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import CarillonRedis

/// Sentinels that say what a test has them say.
private final class Opinion: Sendable {
    private let state: Mutex<(port: Int, epoch: Int)>

    init(_ port: Int, epoch: Int) { state = Mutex((port, epoch)) }

    func change(to port: Int, epoch: Int) { state.withLock { $0 = (port, epoch) } }

    func start() async throws -> FakeRedis {
        try await FakeRedis.start { _, text in
            // The sign-in and the first question may come together.
            let pings = String(repeating: "+PONG\r\n", count: text.components(of: "PING"))
            let (port, epoch) = self.state.withLock { $0 }
            let fields = ["ip", "127.0.0.1", "port", "\(port)", "config-epoch", "\(epoch)"]
            let answer = "*\(fields.count)\r\n" + fields.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
            return .reply(pings + String(repeating: answer, count: text.components(of: "SENTINEL")))
        }
    }
}

extension String {
    fileprivate func components(of word: String) -> Int { ranges(of: word).count }
}

@Suite struct SentinelWatchTests {
    /// A watch and a connection that follows it.
    private final class Parts {
        let watch: SentinelWatch
        let connection: RedisConnection

        init(_ sentinels: [Int], _ eventLoop: any EventLoop) {
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            watch = SentinelWatch(
                eventLoop: eventLoop,
                sentinels: sentinels.map { .test(port: $0) },
                primaryName: "mymaster",
                logger: logger
            )
            // What the configuration says of the place is of no meaning.
            connection = RedisConnection(
                eventLoop: eventLoop,
                configuration: .test(port: 1),
                locator: watch,
                logger: logger
            )
            watch.start()
            connection.start()
        }
    }

    private struct Link: Sendable {
        let eventLoop: any EventLoop
        let parts: NIOLoopBound<Parts>

        static func open(_ sentinels: [Int]) async throws -> Link {
            let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
            let parts = try await eventLoop.submit { NIOLoopBound(Parts(sentinels, eventLoop), eventLoop: eventLoop) }
                .get()
            return Link(eventLoop: eventLoop, parts: parts)
        }

        func run<Value: Sendable>(_ body: @escaping @Sendable (Parts) -> Value) async throws -> Value {
            try await eventLoop.submit { body(parts.value) }.get()
        }

        /// The port that the connection stands at; nil while it does not.
        func port() async throws -> Int? {
            try await run { parts in
                guard parts.connection.isReady, case .tcp(_, let port)? = parts.connection.endpoint else { return nil }
                return port
            }
        }

        func stands(at port: Int) async throws {
            try await wait(until: "the connection stands at \(port)", within: .seconds(20)) {
                try await self.port() == port
            }
        }

        func close() async throws {
            try await eventLoop.flatSubmit {
                parts.value.watch.close()
                return parts.value.connection.close(immediately: true)
            }.get()
        }
    }

    @Test func theConnectionGoesWhereTheSentinelsSay() async throws {
        let (first, second) = (try await RedisProcess.start(), try await RedisProcess.start())
        let opinion = Opinion(first.port, epoch: 0)
        let sentinel = try await opinion.start()
        let link = try await Link.open([sentinel.port])
        try await link.stands(at: first.port)
        opinion.change(to: second.port, epoch: 1)
        try await link.stands(at: second.port)
        try await link.close()
        try await sentinel.stop()
        for server in [first, second] { await server.stop() }
    }

    @Test func aSentinelWithAnOlderViewDoesNotLeadBack() async throws {
        let (old, new) = (try await RedisProcess.start(), try await RedisProcess.start())
        let opinions = [Opinion(old.port, epoch: 3), Opinion(new.port, epoch: 4), Opinion(old.port, epoch: 3)]
        var sentinels: [FakeRedis] = []
        for opinion in opinions { sentinels.append(try await opinion.start()) }
        let link = try await Link.open(sentinels.map(\.port))
        try await link.stands(at: new.port)
        // Who knows better is away; the others go on saying what they know.
        try await sentinels[1].stop()
        opinions[0].change(to: old.port, epoch: 3)
        let asked = try await WireRedis(port: new.port).calls()["ping"] ?? 0
        #expect(asked > 0)
        #expect(try await link.port() == new.port)
        // All of them were set up anew: then a lower epoch is what holds.
        let link2 = try await Link.open([sentinels[0].port, sentinels[2].port])
        try await link2.stands(at: old.port)
        for link in [link, link2] { try await link.close() }
        for sentinel in [sentinels[0], sentinels[2]] { try await sentinel.stop() }
        for server in [old, new] { await server.stop() }
    }

    @Test func aReplicaIsRefused() async throws {
        let primary = try await RedisProcess.start()
        let replica = try await RedisProcess.start(["--replicaof", "127.0.0.1 \(primary.port)"])
        let opinion = Opinion(replica.port, epoch: 0)
        let sentinel = try await opinion.start()
        let link = try await Link.open([sentinel.port])
        try await wait(until: "it is refused", within: .seconds(20)) {
            try await link.run { $0.connection.lastFailure?.description.contains("it is not the primary") == true }
        }
        #expect(try await link.port() == nil)
        _ = try await WireRedis(port: replica.port)(["REPLICAOF", "NO", "ONE"])
        try await link.stands(at: replica.port)
        try await link.close()
        try await sentinel.stop()
        for server in [replica, primary] { await server.stop() }
    }

    /// Somebody makes a replica of the primary by hand, and hangs nobody up.
    @Test func aRefusedWriteHasTheConnectionLookAgain() async throws {
        let (first, second) = (try await RedisProcess.start(), try await RedisProcess.start())
        let opinion = Opinion(first.port, epoch: 0)
        let sentinel = try await opinion.start()
        let link = try await Link.open([sentinel.port])
        try await link.stands(at: first.port)
        _ = try await WireRedis(port: first.port)(["REPLICAOF", "127.0.0.1", "\(second.port)"])
        let client = try await link.run { RedisClient($0.connection) }
        await #expect(throws: RedisError.self) { try await client.call("SET", "a", "b") }
        try await wait(until: "it is not used any more", within: .seconds(20)) { try await link.port() == nil }
        opinion.change(to: second.port, epoch: 1)
        try await link.stands(at: second.port)
        #expect(try await client.call("SET", "a", "b") == .status("OK"))
        try await link.close()
        try await sentinel.stop()
        for server in [first, second] { await server.stop() }
    }

    @Test func withoutASentinelThereIsNoConnection() async throws {
        let link = try await Link.open([1])
        try await wait(until: "it says why", within: .seconds(20)) {
            try await link.run { $0.connection.lastFailure?.description.contains("it is not known yet") == true }
        }
        try await link.close()
    }
}
