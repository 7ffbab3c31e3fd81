import NIOCore

/// The way to a connection from any task, for paths where convenience counts more than speed.
///
/// A call is bounded by the connection's `commandTimeout`; cancelling the task does not take back what was sent.
package struct RedisClient: Sendable {
    /// Keys lie on several servers.
    package let isSharded: Bool
    private let eventLoop: any EventLoop
    private let redis: NIOLoopBound<any Redis>

    /// - Isolation: event loop of the connection.
    package init(_ redis: any Redis) {
        self.isSharded = redis.isSharded
        self.eventLoop = redis.eventLoop
        self.redis = NIOLoopBound(redis, eventLoop: redis.eventLoop)
    }

    /// The servers that hold keys, in a lasting order.
    package func nodes() async -> [RedisNode] {
        await withCheckedContinuation { continuation in
            run { continuation.resume(returning: $0.nodes) }
        }
    }

    /// - Throws: `RedisError`; an error reply as code `.server`.
    package func call(_ command: String, _ arguments: RedisArgument...) async throws(RedisError) -> RedisValue {
        try await call(RedisCommand(command, arguments))
    }

    package func call(_ command: RedisCommand) async throws(RedisError) -> RedisValue {
        let value = try await pipeline([command])[0]
        if case .error(let message) = value { throw RedisError(.server(message)) }
        return value
    }

    /// Sends the commands in one write and returns their replies in order; error replies are `.error` values. In a cluster each
    /// stands for itself: only those of one key take effect in order.
    ///
    /// - Parameter node: Where commands without a key go; nil: anywhere.
    /// - Throws: `RedisError` when any command has no reply. `.unavailable` and `.overloaded` mean that none was sent.
    package func pipeline(
        _ commands: [RedisCommand],
        on node: RedisNode? = nil
    ) async throws(RedisError) -> [RedisValue] {
        guard !commands.isEmpty else { return [] }
        let result: Result<[RedisValue], RedisError> = await withCheckedContinuation { continuation in
            run { redis in
                let replies = PipelineReplies(count: commands.count, continuation: continuation)
                for (index, command) in commands.enumerated() {
                    redis.send(command, to: replies, tag: index, node: node)
                }
            }
        }
        return try result.get()
    }

    private func run(_ body: @escaping @Sendable (any Redis) -> Void) {
        if eventLoop.inEventLoop { body(redis.value) } else { eventLoop.execute { body(redis.value) } }
    }
}

/// Gathers the replies of one pipeline.
///
/// - Isolation: event loop of the connection.
private final class PipelineReplies: RedisReceiver {
    private var values: [RedisValue] = []
    private var missing: Int
    private var failure: RedisError?
    private var anySent = false
    private let continuation: CheckedContinuation<Result<[RedisValue], RedisError>, Never>

    init(count: Int, continuation: CheckedContinuation<Result<[RedisValue], RedisError>, Never>) {
        self.missing = count
        self.continuation = continuation
        values = Array(repeating: .null, count: count)
    }

    func received(_ reply: RedisReply, tag: Int) {
        add(reply.copied(), tag)
    }

    func failed(_ error: RedisError, tag: Int) {
        if case .server(let message) = error.code {
            add(.error(message), tag)
            return
        }
        anySent = anySent || error.outcomeUnknown
        failure = failure ?? error
        countDown()
    }

    private func add(_ value: RedisValue, _ tag: Int) {
        anySent = true
        values[tag] = value
        countDown()
    }

    private func countDown() {
        missing -= 1
        guard missing == 0 else { return }
        guard let failure else {
            continuation.resume(returning: .success(values))
            return
        }
        let partly = anySent && !failure.outcomeUnknown
        continuation.resume(
            returning: .failure(
                partly ? RedisError(.connectionLost, detail: "only a part was sent: \(failure)") : failure
            )
        )
    }
}
