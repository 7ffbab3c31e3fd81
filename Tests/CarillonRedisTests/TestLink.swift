import CarillonRedis
import CarillonTestSupport
import Logging
import NIOCore
import NIOPosix

/// Writes down what a receiver hears. Lives on the event loop.
final class Recorder: RedisReceiver {
    enum Event: Sendable, Equatable {
        case reply(RedisValue, tag: Int)
        case failure(RedisError.Code, tag: Int)
    }

    private(set) var events: [Event] = []
    private(set) var errors: [RedisError] = []
    var onEvent: ((Event) -> Void)?

    func received(_ reply: RedisReply, tag: Int) {
        add(.reply(reply.copied(), tag: tag))
    }

    func failed(_ error: RedisError, tag: Int) {
        errors.append(error)
        add(.failure(error.code, tag: tag))
    }

    private func add(_ event: Event) {
        events.append(event)
        onEvent?(event)
    }
}

/// Counts what an observer hears. Lives on the event loop.
final class ObserverLog: RedisObserver {
    var connectedCount = 0
    var disconnections: [RedisError] = []
    var roundTrips: [Int64] = []
    var failures: [RedisError] = []

    func connected(isFirst: Bool) { connectedCount += 1 }
    func disconnected(_ error: RedisError) { disconnections.append(error) }
    func roundTrip(nanoseconds: Int64, commands: Int) { roundTrips.append(nanoseconds) }
    func commandFailed(_ error: RedisError) { failures.append(error) }
}

/// A connection with a recorder and an observer, reachable from a test's task.
struct TestLink: Sendable {
    final class Parts {
        let connection: RedisConnection
        let recorder = Recorder()
        let observer = ObserverLog()

        init(_ configuration: RedisConfiguration, _ eventLoop: any EventLoop) {
            connection = RedisConnection(
                eventLoop: eventLoop,
                configuration: configuration,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                observer: observer
            )
        }
    }

    let eventLoop: any EventLoop
    let client: RedisClient
    private let parts: NIOLoopBound<Parts>

    /// Starts a connection and, unless told otherwise, waits until it is ready.
    ///
    /// - Parameter eventLoop: One of the process's, which tests that run at once share, unless given.
    static func open(
        _ configuration: RedisConfiguration,
        on eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(),
        starting: Bool = true,
        waiting: Bool = true
    ) async throws -> TestLink {
        let link = try await eventLoop.submit { TestLink(configuration, eventLoop) }.get()
        if starting { try await link.run { $0.connection.start() } }
        if waiting { try await link.waitUntilReady() }
        return link
    }

    private init(_ configuration: RedisConfiguration, _ eventLoop: any EventLoop) {
        let parts = Parts(configuration, eventLoop)
        self.eventLoop = eventLoop
        self.client = RedisClient(parts.connection)
        self.parts = NIOLoopBound(parts, eventLoop: eventLoop)
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable (Parts) throws -> Value) async throws -> Value {
        try await eventLoop.submit { try body(parts.value) }.get()
    }

    func events() async throws -> [Recorder.Event] {
        try await run { $0.recorder.events }
    }

    func waitUntilReady(connectionCount: Int = 1) async throws {
        try await wait(until: "the connection is ready", within: .seconds(30)) {
            try await run { $0.connection.isReady && $0.connection.connectionCount >= connectionCount }
        }
    }

    func waitForEvents(_ count: Int) async throws -> [Recorder.Event] {
        try await wait(until: "\(count) events", within: .seconds(30)) {
            try await run { $0.recorder.events.count >= count }
        }
        return try await events()
    }

    func close(immediately: Bool = true) async throws {
        try await eventLoop.flatSubmit { parts.value.connection.close(immediately: immediately) }.get()
    }
}

extension RedisConfiguration {
    /// The server's TCP port, with short pauses and with more patience than a busy machine needs.
    static func test(_ redis: RedisProcess) -> RedisConfiguration {
        .test(port: redis.port)
    }

    static func test(port: Int) -> RedisConfiguration {
        var configuration = RedisConfiguration(endpoint: .tcp(host: "127.0.0.1", port: port))
        configuration.connectTimeout = .seconds(10)
        configuration.commandTimeout = .seconds(30)
        configuration.minimumBackoff = .milliseconds(5)
        configuration.maximumBackoff = .milliseconds(50)
        return configuration
    }
}

extension RedisConnection {
    /// Sends a command without arguments.
    func send(_ command: StaticString, arguments: Int, to receiver: any RedisReceiver, tag: Int) {
        send(command, arguments: arguments, to: receiver, tag: tag) { _ in }
    }

    func close() -> EventLoopFuture<Void> { close(immediately: false) }
}
