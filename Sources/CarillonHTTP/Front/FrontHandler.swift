import CarillonDomain
import CarillonSocket
import NIOCore

/// The first handler of each accepted connection, and on the fast path the only one.
///
/// At each request boundary it looks at the bytes: a usual `POST /api/v1/notify` is framed and answered right here; a
/// `GET /ws` goes to the upgrade target with all its bytes; at the first request of any other kind this handler puts
/// the library's handlers in its own place, for the rest of the connection. Requests are served one at a time and
/// answered in order; what a client sends ahead waits in `received`, and when that gets large, in the socket.
///
/// - Isolation: event loop of the server
/// - Cost: a request that arrives in one read is not copied, and its answer is one buffer and one write
final class FrontHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase: Equatable {
        case awaitingHead
        case awaitingBody(NotifyHead)
        case serving(closes: Bool)
        /// The last answer is written, or the connection has gone to other handlers. What still comes is thrown away, so that
        /// the client gets to read the answer.
        case done
    }

    /// Above so much unserved input, reading stops until the request under way is answered.
    private static let readAheadBytes = 64 * 1024
    /// From this body size on, reads get larger buffers than the few KiB that suit idle sockets.
    private static let largeBodyBytes = 32 * 1024
    private static let largeReads = AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 16_384, maximum: 65_536)

    var slot = -1
    private let shared: HTTPLoop
    private var context: ChannelHandlerContext?
    private var phase = Phase.awaitingHead
    private var sniffer = RequestSniffer()
    private var received = ByteBuffer()
    /// When the last byte came or went.
    private(set) var activeTick: Int
    /// Answers here are short.
    let unreadBytes = 0
    /// When the first byte of an unfinished request came.
    private var startedTick: Int?
    /// When the socket took the last answer.
    private var lingeringSince: Int?
    private var isAdvancing = false
    /// Answers of this tick, until they are written together.
    private var answers = ByteBuffer()
    /// None before the first notify request: most connections become WebSockets, which have their own.
    private var socket = DirectSocket.none
    private var isReadHeld = false
    private var hasLargeReads = false

    init(_ shared: HTTPLoop) {
        self.shared = shared
        activeTick = shared.tick
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        shared.connections.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        shared.connections.remove(self)
        self.context = nil
        socket = .none
        phase = .done
        received = ByteBuffer()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase != .done else { return }
        activeTick = shared.tick
        var bytes = Self.unwrapInboundIn(data)
        if received.readableBytes == 0 {
            received = bytes
        } else {
            if received.readerIndex > Self.readAheadBytes { received.discardReadBytes() }
            received.writeBuffer(&bytes)
        }
        advance(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush(context)
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        activeTick = shared.tick
        resume(context)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Nothing but broken connections ends up here: `ECONNRESET` and its kind.
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if isReadAhead(context) {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    // MARK: - Requests

    /// Serves what was received, as far as that goes.
    private func advance(_ context: ChannelHandlerContext) {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        // A client that sends requests without taking answers is served no further.
        while received.readableBytes > 0, isWritable(context) {
            switch phase {
            case .awaitingHead:
                let limit = shared.configuration.bodyLimitBytes
                // What is said to pages of other origins, the library says.
                let leavesOrigins = shared.crossOrigin != nil
                let verdict = received.withUnsafeReadableBytes {
                    sniffer.examine($0, bodyLimit: limit, leavesOrigins: leavesOrigins)
                }
                switch verdict {
                case .undecided: return awaitMore()
                case .notify(let head): phase = .awaitingBody(head)
                case .upgrade: return handOver(context)
                case .library: return switchToLibrary(context)
                }
            case .awaitingBody(let head):
                guard received.readableBytes >= head.headLength + head.bodyLength else {
                    expectLargeBody(head, context)
                    return awaitMore()
                }
                serve(head)
            case .serving, .done: return
            }
        }
    }

    private func serve(_ head: NotifyHead) {
        received.moveReaderIndex(forwardBy: head.headLength)
        let body = received.readSlice(length: head.bodyLength)!
        // Gives the read buffer up, so that a connection between requests holds none.
        if received.readableBytes == 0 { received = ByteBuffer() }
        startedTick = nil
        phase = .serving(closes: head.closes)
        shared.notify.notify(body: body, idempotencyKey: head.idempotencyKey, respondingTo: self)
    }

    private func awaitMore() {
        if startedTick == nil { startedTick = shared.tick }
    }

    private func expectLargeBody(_ head: NotifyHead, _ context: ChannelHandlerContext) {
        guard head.bodyLength > Self.largeBodyBytes, !hasLargeReads else { return }
        hasLargeReads = true
        try? context.channel.syncOptions?.setOption(.recvAllocator, value: Self.largeReads)
    }

    // MARK: - Other ways on

    private func handOver(_ context: ChannelHandlerContext) {
        let (channel, bytes) = leave(context)
        if hasLargeReads { try? channel.syncOptions?.setOption(.recvAllocator, value: HTTPServer.smallReads) }
        shared.upgrades.takeOver(channel: channel, bytes: bytes)
        if isReadHeld { channel.read() }
    }

    private func switchToLibrary(_ context: ChannelHandlerContext) {
        do {
            try LibraryHandler.install(on: context.channel, after: self, shared, startedTick: startedTick)
        } catch {
            return context.close(promise: nil)
        }
        let (channel, bytes) = leave(context)
        channel.pipeline.syncOperations.fireChannelRead(NIOAny(bytes))
        channel.pipeline.syncOperations.fireChannelReadComplete()
        if isReadHeld { channel.read() }
    }

    /// Leaves the pipeline, with everything that was received and not served.
    private func leave(_ context: ChannelHandlerContext) -> (any Channel, ByteBuffer) {
        flush(context)
        let channel = context.channel
        let bytes = received
        phase = .done
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        return (channel, bytes)
    }

    // MARK: - Answers

    private func flush(_ context: ChannelHandlerContext) {
        guard answers.readableBytes > 0 else { return }
        let bytes = answers
        answers = ByteBuffer()
        if !socket.isBound { socket = DirectSocket(context.channel) }
        guard let rest = socket.send(bytes) else { return }
        context.writeAndFlush(Self.wrapOutboundOut(rest)).assumeIsolated().whenComplete { [self] _ in
            socket.channelWrote()
        }
    }

    private func isWritable(_ context: ChannelHandlerContext) -> Bool { socket.isIdle || context.channel.isWritable }

    private func isReadAhead(_ context: ChannelHandlerContext) -> Bool {
        guard received.readableBytes > Self.readAheadBytes else { return false }
        if case .awaitingBody = phase, isWritable(context) { return false }
        return true
    }

    /// Goes on with what was sent ahead, and reads again where reading was stopped.
    private func resume(_ context: ChannelHandlerContext) {
        advance(context)
        flush(context)
        guard isReadHeld, phase != .done, !isReadAhead(context) else { return }
        isReadHeld = false
        context.read()
    }

    /// Writes the connection's last answer and ends our half of it; closing with unread input would make the kernel throw the
    /// answer away.
    ///
    /// - Source: RFC 9112 §9.6
    private func finish(_ context: ChannelHandlerContext, with bytes: ByteBuffer) {
        flush(context)
        phase = .done
        received = ByteBuffer()
        let channel = context.channel
        context.writeAndFlush(Self.wrapOutboundOut(bytes)).assumeIsolated().whenComplete { [self] _ in
            lingeringSince = shared.tick
            channel.close(mode: .output, promise: nil)
        }
    }
}

extension FrontHandler: NotifyResponder {
    func answered(_ answer: NotifyAnswer) {
        shared.eventLoop.assertInEventLoop()
        // The client may have gone meanwhile.
        guard case .serving(let closes) = phase, let context else { return }
        activeTick = shared.tick
        shared.observer.notifyAnswered(status: answer.status)
        // What a client has sent ahead is answered, too.
        let isLast = closes || (shared.isDraining && received.readableBytes == 0)
        let bytes = shared.answers.encode(answer, closes: isLast)
        guard !isLast else { return finish(context, with: bytes) }
        phase = .awaitingHead
        if answers.readableBytes == 0 { answers = bytes } else { answers.writeImmutableBuffer(bytes) }
        // An answer given while its request was being handed over is flushed by whoever is serving.
        if !isAdvancing { resume(context) }
    }
}

extension FrontHandler: TimedConnection {
    func ticked(_ tick: Int) {
        guard let context else { return }
        if let lingeringSince {
            if tick - lingeringSince >= HTTPConfiguration.lingerSeconds { context.close(promise: nil) }
        } else if let startedTick, tick - startedTick >= shared.configuration.requestSeconds, phase != .done {
            finish(context, with: shared.answers.encode(.requestTimeout, closes: true))
        } else if tick - activeTick >= shared.configuration.idleSeconds {
            if case .serving = phase { return }
            context.close(promise: nil)
        }
    }

    func drain() {
        guard let context, phase == .awaitingHead, received.readableBytes == 0 else { return }
        // Behind answers which the socket has not taken yet.
        finish(context, with: ByteBuffer())
    }

    func abort() {
        context?.close(promise: nil)
    }
}

@available(*, unavailable)
extension FrontHandler: Sendable {}
