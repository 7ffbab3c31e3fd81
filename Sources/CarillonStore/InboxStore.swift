import CarillonDomain
package import CarillonMetrics
package import CarillonRedis
import NIOCore

/// What the hub keeps in Redis, for the event loop: streams, payloads, read state, locks and presence.
///
/// Everything that is asked for within one tick of the loop leaves as one write. Answers come as calls on the loop; nothing
/// here waits and nothing blocks.
///
/// - Isolation: the connection's event loop
package final class InboxStore {
    let redis: any Redis
    /// For notifications: the same, or a connection of their own where replicas have to confirm them.
    let writes: any Redis
    /// Nil where no replica has to.
    let replicaWait: ReplicaWait?
    package let settings: StoreSettings
    let metrics: Metrics
    /// Who was notified, told to Redis twenty times a second.
    package let activity: ActivityIndex
    /// Who is connected, told to Redis twenty times a second.
    package let connections: ConnectionIndex
    let longPayloads = LongPayloads()
    /// Reused for every payload that is written.
    var payloadBuffer = ByteBuffer()

    /// - Parameter writes: A connection that nothing else uses, where `settings.waitReplicas` is not 0.
    package init(redis: any Redis, writes: (any Redis)? = nil, settings: StoreSettings, metrics: Metrics) {
        self.redis = redis
        self.writes = writes ?? redis
        self.replicaWait = writes.map { ReplicaWait(redis: $0, replicas: settings.waitReplicas) }
        self.settings = settings
        self.metrics = metrics
        self.activity = ActivityIndex(redis: redis, settings: settings)
        self.connections = ConnectionIndex(redis: redis, settings: settings)
    }

    package var isReady: Bool { redis.isReady }

    /// Sends one command and hands its reply to a closure: for what happens per connection, not per notification.
    func send(
        _ command: StaticString,
        arguments: Int,
        _ write: (inout RedisArguments) -> Void,
        reply: @escaping (Result<RedisReply, StoreError>) -> Void
    ) {
        redis.send(command, arguments: arguments, to: ReplyClosure(reply), tag: 0, write)
    }

    /// Sends one command whose reply nobody waits for; a failure shows in the metrics of the connection.
    func send(_ command: StaticString, arguments: Int, _ write: (inout RedisArguments) -> Void) {
        redis.send(command, arguments: arguments, to: IgnoredReply.shared, tag: 0, write)
    }
}

@available(*, unavailable)
extension InboxStore: Sendable {}

/// Takes one reply.
final class ReplyClosure: RedisReceiver {
    private let reply: (Result<RedisReply, StoreError>) -> Void

    init(_ reply: @escaping (Result<RedisReply, StoreError>) -> Void) { self.reply = reply }

    func received(_ reply: RedisReply, tag: Int) { self.reply(.success(reply)) }

    func failed(_ error: RedisError, tag: Int) { reply(.failure(StoreError(error))) }
}

/// Takes replies that change nothing for us.
final class IgnoredReply: RedisReceiver, Sendable {
    static let shared = IgnoredReply()

    func received(_ reply: RedisReply, tag: Int) {}
    func failed(_ error: RedisError, tag: Int) {}
}
