import NIOCore

/// The way to a connection from any task, for paths where convenience counts more than speed.
///
/// A call is bounded by the connection's `commandTimeout`; cancelling the task does not take back what was sent.
package struct RedisClient: Sendable {
    private let eventLoop: any EventLoop
    private let connection: NIOLoopBound<RedisConnection>

    /// - Isolation: event loop of the connection.
    package init(_ connection: RedisConnection) {
        self.eventLoop = connection.eventLoop
        self.connection = NIOLoopBound(connection, eventLoop: connection.eventLoop)
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

    /// Sends the commands in one write and returns their replies in order; error replies are `.error` values.
    ///
    /// - Throws: `RedisError` when any command has no reply. `.unavailable` and `.overloaded` mean that none was sent.
    package func pipeline(_ commands: [RedisCommand]) async throws(RedisError) -> [RedisValue] {
        guard !commands.isEmpty else { return [] }
        let result: Result<[RedisValue], RedisError> = await withCheckedContinuation { continuation in
            let work: @Sendable () -> Void = {
                let connection = connection.value
                let replies = PipelineReplies(count: commands.count, continuation: continuation)
                for (index, command) in commands.enumerated() { connection.send(command, to: replies, tag: index) }
            }
            if eventLoop.inEventLoop { work() } else { eventLoop.execute(work) }
        }
        return try result.get()
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
        values.reserveCapacity(count)
    }

    func received(_ reply: RedisReply, tag: Int) {
        add(reply.copied())
    }

    func failed(_ error: RedisError, tag: Int) {
        if case .server(let message) = error.code {
            add(.error(message))
            return
        }
        anySent = anySent || error.outcomeUnknown
        failure = failure ?? error
        countDown()
    }

    private func add(_ value: RedisValue) {
        anySent = true
        values.append(value)
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
