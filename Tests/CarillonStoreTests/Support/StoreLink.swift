import CarillonDomain
import CarillonMetrics
import CarillonRedis
import CarillonStore
import CarillonTestSupport
import Logging
import NIOCore
import NIOPosix
import Testing

/// A store on a Redis of its own, reachable from a test's task.
struct StoreLink: Sendable {
    /// What lives on the event loop.
    final class Parts {
        let connection: any Redis
        let store: InboxStore
        /// What a test wants to keep alive.
        var kept: [AnyObject] = []

        init(
            _ configuration: RedisConfiguration,
            _ settings: StoreSettings,
            _ metrics: Metrics,
            _ eventLoop: any EventLoop
        ) {
            connection =
                TestTopology.current == .cluster
                ? RedisCluster.forTests(configuration, eventLoop) : RedisConnection.forTests(configuration, eventLoop)
            store = InboxStore(redis: connection, settings: settings, metrics: metrics)
        }
    }

    let eventLoop: any EventLoop
    let client: RedisClient
    let process: RedisProcess
    let settings: StoreSettings
    let metrics: Metrics
    private let parts: NIOLoopBound<Parts>

    /// Starts Redis and a store for pod `a`, runs the body and ends both.
    static func with(
        _ configure: (inout StoreSettings) -> Void = { _ in },
        _ body: (StoreLink) async throws -> Void
    ) async throws {
        let process = try await RedisProcess.start()
        let link = try await open(process, configure)
        do {
            try await body(link)
        } catch {
            try? await link.close()
            await process.stop()
            throw error
        }
        try await link.close()
        await process.stop()
    }

    /// Another store on a Redis that runs.
    static func open(
        _ process: RedisProcess,
        _ configure: (inout StoreSettings) -> Void = { _ in }
    ) async throws -> StoreLink {
        var settings = StoreSettings(podID: "a", runID: "run-a")
        configure(&settings)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let link = try await eventLoop.submit { [settings] in StoreLink(process, settings, eventLoop) }.get()
        try await link.run { $0.connection.start() }
        try await wait(until: "Redis has done it", within: .seconds(30)) {
            try await link.run { $0.connection.isReady }
        }
        return link
    }

    private init(_ process: RedisProcess, _ settings: StoreSettings, _ eventLoop: any EventLoop) {
        let metrics = Metrics()
        let parts = Parts(.test(process), settings, metrics, eventLoop)
        self.eventLoop = eventLoop
        self.client = RedisClient(parts.connection)
        self.process = process
        self.settings = settings
        self.metrics = metrics
        self.parts = NIOLoopBound(parts, eventLoop: eventLoop)
    }

    func close() async throws {
        try await eventLoop.flatSubmit {
            parts.value.kept.removeAll()
            return parts.value.connection.close(immediately: true)
        }.get()
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable (Parts) throws -> Value) async throws -> Value {
        try await eventLoop.submit { try body(parts.value) }.get()
    }

    /// Runs `body` on the loop and waits for what it hands to the closure.
    func call<Value: Sendable>(
        _ body: @escaping @Sendable (Parts, @escaping (Value) -> Void) -> Void
    ) async throws -> Value {
        let promise = eventLoop.makePromise(of: Value.self)
        eventLoop.execute { body(parts.value) { promise.succeed($0) } }
        return try await promise.futureResult.get()
    }

    // MARK: - Looking at Redis

    /// Has a command carried out; one that is about a server itself, by all of them.
    @discardableResult
    func redis(_ words: String...) async throws -> RedisValue {
        let command = RedisCommand(words[0], words.dropFirst().map { .text($0) })
        guard ["ACL", "CONFIG"].contains(command.name) else { return try await client.call(command) }
        var reply = RedisValue.null
        for node in await client.nodes() {
            reply = try await client.pipeline([command], on: node)[0]
            if case .error(let message) = reply { throw RedisError(.server(message)) }
        }
        return reply
    }

    /// Adds an entry as another program would.
    @discardableResult
    func add(
        _ user: User,
        _ notification: String,
        id: String = "*",
        payload: String? = "{\"message\":\"m\"}"
    ) async throws -> StreamID {
        if let payload { try await redis("SET", "notification:\(notification)", payload) }
        return try #require(
            try await redis("XADD", "stream:user:\(user.key)", id, "nid", notification).string.flatMap { StreamID($0) }
        )
    }

    func entries(_ user: User) async throws -> [String] {
        try await redis("XRANGE", "stream:user:\(user.key)", "-", "+").array?.compactMap { $0.array?[0].string } ?? []
    }

    func notifications(_ user: User) async throws -> [String] {
        try await redis("XRANGE", "stream:user:\(user.key)", "-", "+").array?.compactMap {
            $0.array?[1].array?[1].string
        } ?? []
    }

    /// Ids of the group's pending list.
    func pending(_ user: User) async throws -> [String] {
        try await redis("XPENDING", "stream:user:\(user.key)", "notifications", "-", "+", "1000").array?
            .compactMap { $0.array?[0].string } ?? []
    }

    func createGroup(_ user: User, at id: String = "0") async throws {
        try await redis("XGROUP", "CREATE", "stream:user:\(user.key)", "notifications", id, "MKSTREAM")
    }

    func handOut(_ user: User) async throws {
        try await redis(
            "XREADGROUP",
            "GROUP",
            "notifications",
            user.consumer,
            "STREAMS",
            "stream:user:\(user.key)",
            ">"
        )
    }

    /// Redis's clock in milliseconds.
    func now() async throws -> Int {
        let time = try await redis("TIME").array?.compactMap(\.integer) ?? []
        return Int(time[0] * 1_000 + time[1] / 1_000)
    }

    /// How often each command was carried out during `body`, on all nodes together; the names are in lower case.
    func commands(during body: () async throws -> Void) async throws -> [String: Int] {
        let wire = try WireRedis(port: process.port)
        for node in try await wire.everyNode() { try await node(["CONFIG", "RESETSTAT"]) }
        try await body()
        var calls = try await wire.calls()
        for own in ["info", "config|resetstat", "ping", "cluster|nodes"] { calls[own] = nil }
        return calls
    }

    /// The key that has a user, of those that are spread in a cluster.
    func spread(_ key: String, _ user: String) -> String {
        client.isSharded ? "\(key):\(HashSlot.of(user.utf8) % 16)" : key
    }

    /// What keys there are, on all nodes together.
    func keys(_ pattern: String) async throws -> [String] {
        var keys: [String] = []
        for node in try await WireRedis(port: process.port).everyNode() {
            keys += try await node(["KEYS", pattern]).strings
        }
        return keys
    }
}

extension RedisCluster {
    static func forTests(_ configuration: RedisConfiguration, _ eventLoop: any EventLoop) -> RedisCluster {
        RedisCluster(
            eventLoop: eventLoop,
            configuration: configuration,
            seeds: [configuration.endpoint],
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }
}

extension RedisConnection {
    static func forTests(_ configuration: RedisConfiguration, _ eventLoop: any EventLoop) -> RedisConnection {
        RedisConnection(
            eventLoop: eventLoop,
            configuration: configuration,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }
}

extension RedisConfiguration {
    /// With short pauses, and with more patience than a busy machine needs.
    static func test(_ redis: RedisProcess) -> RedisConfiguration {
        var configuration = RedisConfiguration(endpoint: .tcp(host: "127.0.0.1", port: redis.port))
        configuration.connectTimeout = .seconds(10)
        configuration.commandTimeout = .seconds(30)
        configuration.minimumBackoff = .milliseconds(5)
        configuration.maximumBackoff = .milliseconds(50)
        return configuration
    }
}

extension User {
    static func test(_ id: Int64, _ login: String = "u") -> User { User(id: .number(id), login: login) }
}

extension RedisValue {
    /// Names and values of HGETALL.
    var table: [String: String] {
        let fields = array ?? []
        return Dictionary(
            uniqueKeysWithValues: stride(from: 0, to: fields.count, by: 2).map {
                (fields[$0].string ?? "", fields[$0 + 1].string ?? "")
            }
        )
    }
}
