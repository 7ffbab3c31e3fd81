package import Logging
package import NIOCore

/// One connection to Redis that pipelines by itself and reconnects for ever.
///
/// The commands of one event-loop tick leave together: `send` encodes into the bytes that go out next, and the first
/// command of a tick asks for one flush at the tick's end. Only of a long tick some leave before, so that Redis does not
/// idle while the hub is still at work. Replies find their receivers by order alone, through a queue. While the socket
/// does not take more, commands gather in the same bytes up to a limit.
///
/// The layers below, each in a file of its own: `RedisChannelHandler` (channel), `RedisReplyParser` (hiredis),
/// `RedisHandshake` (sign-in); connecting and losing the connection are in `RedisConnection+Transport.swift`.
///
/// A connection that was started lives until `close()`.
///
/// - Isolation: `eventLoop`, for everything including `init`.
/// - Cost: `send` and a reply allocate nothing of their own. A tick with commands allocates its flush task and its write.
package final class RedisConnection: Redis {
    enum Phase {
        case idle
        /// Between two attempts.
        case waiting
        case connecting
        case handshaking
        case ready
        /// Closed to new commands, waiting for outstanding replies.
        case closing
        case closed
    }

    struct Pending {
        let receiver: any RedisReceiver
        let tag: Int
        /// When the first command of its tick was sent.
        let sentAt: NIODeadline
        /// Commands of the write that ends with this one; 0 in the middle of a write.
        var endsWriteOf = 0
    }

    private struct Rejected {
        let receiver: any RedisReceiver
        let tag: Int
        let error: RedisError
    }

    package let eventLoop: any EventLoop
    package let configuration: RedisConfiguration
    /// Nil where Redis is at the configuration's endpoint.
    let locator: (any RedisLocator)?
    let logger: Logger
    weak var observer: (any RedisObserver)?

    var phase = Phase.idle
    var handler: RedisChannelHandler?
    /// How often the connection became ready: more than 1 means that it was lost in between.
    package internal(set) var connectionCount = 0
    /// Why it is not ready, or why it last was not.
    package internal(set) var lastFailure: RedisError?
    package var isReady: Bool { phase == .ready }

    // What `RedisConnection+Transport.swift` keeps.
    /// Where the attempt under way leads, or led.
    var endpoint: RedisConfiguration.Endpoint?
    /// Attempts since the connection last stood for a while: the pauses grow with it.
    var attempt = 0
    /// All of them.
    var attempts = 0
    var attemptDeadline = NIODeadline.distantFuture
    var readySince = NIODeadline.uptimeNanoseconds(0)
    var reconnect: Scheduled<Void>?
    var handshake: RedisHandshake?
    var closePromise: EventLoopPromise<Void>?

    /// Capacity of `outgoing` that outlives a burst.
    private static let keptBytes = 1_024 * 1_024
    /// So much is worth a write before the tick ends, and each time twice as much: ten messages in a short tick, and few writes in
    /// a long one.
    private static let firstEarlyBytes = 4_096
    private static let timerInterval = TimeAmount.milliseconds(100)
    private static let maximumLateRounds = 10

    private var outgoing: RedisArguments
    private var pending = CircularBuffer<Pending>(initialCapacity: 256)
    /// How many of `pending`, at its end, are still in `outgoing`.
    private var unwritten = 0
    /// From so many bytes on `outgoing` is written although the tick goes on.
    private var earlyBytes = firstEarlyBytes
    private var rejected: [Rejected] = []
    private var flushScheduled = false
    private var tickStart = NIODeadline.uptimeNanoseconds(0)
    private var timerDue: NIODeadline?
    private var lateRounds = 0

    /// - Parameters:
    ///   - locator: Says where Redis is, instead of the configuration.
    ///   - observer: Held weakly.
    package init(
        eventLoop: any EventLoop,
        configuration: RedisConfiguration,
        locator: (any RedisLocator)? = nil,
        logger: Logger,
        observer: (any RedisObserver)? = nil
    ) {
        eventLoop.assertInEventLoop()
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.locator = locator
        self.logger = logger
        self.observer = observer
        self.outgoing = RedisArguments(buffer: ByteBufferAllocator().buffer(capacity: 16 * 1_024))
        locator?.add(self)
    }

    package let isSharded = false
    package var nodes: [RedisNode] { [.single] }
    package func node(of key: RedisKey) -> RedisNode? { .single }

    package func send(
        _ command: StaticString,
        arguments: Int,
        to receiver: any RedisReceiver,
        tag: Int,
        _ write: (inout RedisArguments) -> Void
    ) {
        guard admit(receiver, tag) else { return }
        let start = outgoing.buffer.writerIndex
        outgoing.begin(command, arguments: arguments)
        write(&outgoing)
        enqueue(receiver, tag, from: start)
    }

    package func send(_ command: RedisCommand, to receiver: any RedisReceiver, tag: Int, node: RedisNode?) {
        guard admit(receiver, tag) else { return }
        let start = outgoing.buffer.writerIndex
        command.write(to: &outgoing)
        enqueue(receiver, tag, from: start)
    }

    /// Sends a command that is encoded already.
    func send(_ encoded: ByteBufferView, to receiver: any RedisReceiver, tag: Int) {
        guard admit(receiver, tag) else { return }
        let start = outgoing.buffer.writerIndex
        outgoing.append(encoded)
        enqueue(receiver, tag, from: start)
    }

    package func settled(_ key: RedisKey, _ body: @escaping () -> Void) { body() }

    private func admit(_ receiver: any RedisReceiver, _ tag: Int) -> Bool {
        eventLoop.assertInEventLoop()
        if phase == .handshaking, receiver === handshake { return true }
        guard let error = refusal(ofBytes: 0) else { return true }
        reject(receiver, tag, error)
        return false
    }

    /// Why a command of so many bytes would be rejected; nil if it is taken.
    func refusal(ofBytes count: Int) -> RedisError? {
        guard phase == .ready else { return lastFailure?.asUnavailable ?? RedisError(.unavailable) }
        guard pending.count < configuration.maximumPendingReplies else {
            return RedisError(.overloaded, detail: "\(pending.count) replies are awaited")
        }
        let bytes = outgoing.buffer.readableBytes
        guard bytes + count <= configuration.maximumOutgoingBytes else {
            return RedisError(.overloaded, detail: "\(bytes) bytes are waiting")
        }
        return nil
    }

    private func enqueue(_ receiver: any RedisReceiver, _ tag: Int, from start: Int) {
        outgoing.end()
        guard outgoing.buffer.readableBytes <= configuration.maximumOutgoingBytes else {
            outgoing.rewind(to: start)
            reject(receiver, tag, RedisError(.overloaded, detail: "\(outgoing.buffer.readableBytes) bytes are waiting"))
            return
        }
        scheduleFlush()
        pending.append(Pending(receiver: receiver, tag: tag, sentAt: tickStart))
        unwritten += 1
        guard outgoing.buffer.readableBytes >= earlyBytes, phase == .ready else { return }
        earlyBytes *= 2
        writeUnflushed()
    }

    private func reject(_ receiver: any RedisReceiver, _ tag: Int, _ error: RedisError) {
        rejected.append(Rejected(receiver: receiver, tag: tag, error: error))
        scheduleFlush()
    }

    private func scheduleFlush() {
        guard !flushScheduled else { return }
        flushScheduled = true
        tickStart = .now()
        eventLoop.assumeIsolated().execute { self.endTick() }
    }

    private func endTick() {
        flushScheduled = false
        earlyBytes = Self.firstEarlyBytes
        writeOutgoing()
        let commands = rejected
        rejected = []
        for command in commands { fail(command.receiver, command.tag, command.error) }
    }

    /// Sends everything that is encoded, unless the channel still has more than it can send.
    func writeOutgoing() {
        writeUnflushed()
        handler?.flush()
    }

    /// The same without a flush, which may fail, and then calls receivers back: nobody expects that while he sends.
    private func writeUnflushed() {
        guard unwritten > 0, let handler else { return }
        armTimer()
        guard handler.isWritable else { return }
        pending[pending.index(before: pending.endIndex)].endsWriteOf = unwritten
        unwritten = 0
        handler.write(outgoing.buffer)
        outgoing.clear(keeping: Self.keptBytes)
    }

    /// Takes the reply to the oldest command.
    func received(_ reply: RedisReply) {
        guard let command = pending.popFirst() else {
            // Redis says no more than why it hangs up, such as that it has too many clients.
            let code: RedisError.Code = reply.errorMessage.map { .server($0) } ?? .protocolViolation
            lose(RedisError(code, detail: "a reply to nothing"))
            return
        }
        if command.endsWriteOf > 0 {
            let time = NIODeadline.now() - command.sentAt
            observer?.roundTrip(nanoseconds: time.nanoseconds, commands: command.endsWriteOf)
        }
        if reply.kind == .error {
            let error = RedisError(.server(reply.string))
            fail(command.receiver, command.tag, error)
            if locator != nil, error.serverCode == "READONLY" { reconnect(because: "it is a replica now") }
        } else {
            command.receiver.received(reply, tag: command.tag)
        }
        if phase == .closing, pending.isEmpty { finishClosing() }
    }

    private func fail(_ receiver: any RedisReceiver, _ tag: Int, _ error: RedisError) {
        observer?.commandFailed(error)
        receiver.failed(error, tag: tag)
    }

    /// Commands that wait for their reply.
    package var pendingReplies: Int { pending.count }

    /// Ends everything outstanding, in order: what never left can be repeated, whatever became of the rest.
    func failOutstanding(_ error: RedisError) {
        let commands = pending
        let written = commands.count - unwritten
        pending = CircularBuffer(initialCapacity: 256)
        unwritten = 0
        outgoing.clear(keeping: Self.keptBytes)
        for (index, command) in commands.enumerated() {
            fail(command.receiver, command.tag, index < written ? error : error.asUnavailable)
        }
    }

    /// Runs the coarse timer while there is something to watch, and not when the connection is idle.
    func armTimer() {
        guard timerDue == nil else { return }
        timerDue = .now() + Self.timerInterval
        eventLoop.assumeIsolated().scheduleTask(in: Self.timerInterval) { self.timerFired() }
    }

    private func timerFired() {
        let now = NIODeadline.now()
        let isLate = timerDue.map { now - $0 >= Self.timerInterval } ?? false
        timerDue = nil
        defer { if phase == .handshaking || !pending.isEmpty { armTimer() } }
        // The loop was held up, or the process slept: replies may be waiting to be read, and commands to be written,
        // so nobody is judged until the loop keeps time again, or has shown that it will not.
        lateRounds = isLate ? lateRounds + 1 : 0
        if isLate, lateRounds <= Self.maximumLateRounds { return }
        if phase == .handshaking, now >= attemptDeadline {
            lose(RedisError(.timeout, detail: "no sign-in within \(configuration.connectTimeout)"))
        } else if let oldest = pending.first, now - oldest.sentAt >= TimeAmount(configuration.commandTimeout) {
            lose(RedisError(.timeout, detail: "no reply within \(configuration.commandTimeout)"))
        }
    }
}

@available(*, unavailable)
extension RedisConnection: Sendable {}
