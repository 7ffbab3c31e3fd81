package import Logging
package import NIOCore

/// Knows where the primary is, from its Sentinels.
///
/// Each Sentinel is asked every second over a connection of its own. Of their last answers, those of Sentinels that are away included,
/// the one with the highest configuration epoch holds: so a Sentinel that was cut off cannot lead back to a primary that was replaced.
///
/// - Isolation: `eventLoop`, for everything including `init`
/// - Source: Redis Sentinel, `SENTINEL MASTER`; "Guidelines for Redis clients with support for Redis Sentinel"
package final class SentinelWatch: RedisLocator {
    private struct Follower {
        weak var connection: RedisConnection?
    }

    private struct Answer {
        let endpoint: RedisConfiguration.Endpoint
        let epoch: Int64
    }

    private let primaryName: String
    private let logger: Logger
    private var sentinels: [RedisConnection] = []
    private var followers: [Follower] = []
    /// The last one of each Sentinel.
    private var answers: [Int: Answer] = [:]
    /// Nil until a Sentinel has said it.
    package private(set) var endpoint: RedisConfiguration.Endpoint?
    private var timer: RepeatedTask?

    private static let interval = TimeAmount.seconds(1)

    /// - Parameter sentinels: One configuration for each Sentinel.
    package init(
        eventLoop: any EventLoop,
        sentinels: [RedisConfiguration],
        primaryName: String,
        logger: Logger
    ) {
        eventLoop.assertInEventLoop()
        self.primaryName = primaryName
        self.logger = logger
        self.sentinels = sentinels.map {
            RedisConnection(eventLoop: eventLoop, configuration: $0, logger: logger, observer: self)
        }
        let watch = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
            watch.value.ask()
        }
    }

    package func start() {
        for sentinel in sentinels { sentinel.start() }
    }

    /// Hears nothing more.
    package func close() {
        timer?.cancel()
        for sentinel in sentinels { _ = sentinel.close(immediately: true) }
    }

    package func add(_ connection: RedisConnection) {
        followers.removeAll { $0.connection == nil }
        followers.append(Follower(connection: connection))
    }

    private func ask() {
        for (index, sentinel) in sentinels.enumerated() where sentinel.isReady { ask(sentinel, index) }
    }

    private func ask(_ sentinel: RedisConnection, _ index: Int) {
        sentinel.send("SENTINEL", arguments: 2, to: self, tag: index) { arguments in
            arguments.bulk("MASTER" as StaticString)
            arguments.bulk(primaryName)
        }
    }

    private func heard(_ answer: Answer, from sentinel: Int) {
        answers[sentinel] = answer
        let epoch = answers.values.reduce(answer.epoch) { max($0, $1.epoch) }
        let newest = answers.sorted { $0.key < $1.key }.map(\.value).filter { $0.epoch == epoch }
        // One place may have several names.
        guard !newest.contains(where: { $0.endpoint == endpoint }), let newest = newest.first?.endpoint else { return }
        logger.notice("the primary is \(newest)", metadata: ["name": "\(primaryName)", "epoch": "\(epoch)"])
        endpoint = newest
        for follower in followers { follower.connection?.endpointChanged() }
    }
}

extension SentinelWatch: RedisReceiver {
    package func received(_ reply: RedisReply, tag: Int) {
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: reply.count - 1, by: 2) {
            fields[reply[index].string] = reply[index + 1].string
        }
        guard let host = fields["ip"], let port = fields["port"].flatMap({ Int($0) }),
            let epoch = fields["config-epoch"].flatMap({ Int64($0) })
        else { return }
        heard(Answer(endpoint: .tcp(host: host, port: port), epoch: epoch), from: tag)
    }

    package func failed(_ error: RedisError, tag: Int) {
        guard case .server = error.code else { return }
        logger.warning(
            "a Sentinel does not know the primary",
            metadata: ["name": "\(primaryName)", "reason": "\(error)"]
        )
    }
}

extension SentinelWatch: RedisObserver {
    package func connected(isFirst: Bool) { ask() }
    package func disconnected(_ error: RedisError) {}
    package func roundTrip(nanoseconds: Int64, commands: Int) {}
    package func commandFailed(_ error: RedisError) {}
}

@available(*, unavailable)
extension SentinelWatch: Sendable {}
