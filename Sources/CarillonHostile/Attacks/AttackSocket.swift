import CarillonLoad
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// One connection of an attack.
///
/// - Isolation: the force's event loop
final class AttackSocket: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let script: AttackScript
    private unowned let force: AttackForce
    private var context: ChannelHandlerContext?
    private var isConnected = false
    private var isEnded = false
    /// The first bytes of the answer, until its status is known.
    private var beginning = ByteBuffer()
    private var status: Int?
    private var frames: ServerFrames?
    private var isUpgraded = false
    private var closeCode: UInt16?
    private var dripDue = NIODeadline.distantFuture

    init(_ script: AttackScript, force: AttackForce) {
        self.script = script
        self.force = force
    }

    /// How it ended, or what it has come to: the status of the answer, the code of the server's close frame, or
    ///
    ///     cut      the server ended what it had begun to answer
    ///     closed   the server ended it without a word
    ///     refused  there was no connection
    ///     open     nothing has happened yet
    func outcome(isOver: Bool) -> String {
        if let closeCode { return "\(closeCode)" }
        if let status, status != 101, status != 200 { return "\(status)" }
        guard isOver else { return "open" }
        guard isConnected else { return "refused" }
        return status == nil ? "closed" : "cut"
    }

    /// It goes by itself, whatever the server does.
    var hasOwnEnd: Bool { [.closes, .resets].contains(script.ending) }

    func connect(to address: SocketAddress) {
        let bound = NIOLoopBound(self, eventLoop: force.eventLoop)
        var bootstrap = ClientBootstrap(group: force.eventLoop)
            .connectTimeout(.seconds(5))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
        if script.isDeaf {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: 4_096)
                .channelOption(.autoRead, value: false)
        }
        bootstrap.connect(to: address).whenFailure { _ in bound.value.end() }
    }

    /// Goes away without a word; this is no outcome.
    func abandon() {
        isEnded = true
        reset()
    }

    /// Says what is due.
    func ticked(_ now: NIODeadline) {
        guard let context, let drip = script.drip, now >= dripDue, context.channel.isWritable else { return }
        dripDue = now + .milliseconds(drip.pauseMilliseconds)
        force.attempted(drip.attempts)
        context.writeAndFlush(wrapOutboundOut(drip.bytes), promise: nil)
    }

    // MARK: - Life of the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        isConnected = true
        guard !isEnded else { return reset() }
        let isWebSocket = script.upgraded != nil
        if script.drip != nil, !isWebSocket { dripDue = .now() }
        guard script.opening.readableBytes > 0 else { return finish() }
        let sent = context.writeAndFlush(wrapOutboundOut(script.opening)).assumeIsolated()
        if !isWebSocket { sent.whenComplete { [self] _ in finish() } }
    }

    private func finish() {
        switch script.ending {
        case .waits: break
        case .closes: context?.close(promise: nil)
        case .resets: reset()
        case .halfCloses: context?.close(mode: .output, promise: nil)
        }
    }

    private func reset() {
        guard let context else { return }
        let now = linger(l_onoff: 1, l_linger: 0)
        (context.channel as? any SocketOptionProvider)?.setSoLinger(now).whenFailure { _ in }
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if status == nil {
            beginning.writeImmutableBuffer(bytes)
            guard let answer = beginning.getString(at: beginning.readerIndex, length: 12) else { return }
            status = Int(answer.suffix(3))
            if status == 101 { frames = ServerFrames() }
            frames?.append(beginning)
            beginning = ByteBuffer()
        } else {
            frames?.append(bytes)
        }
        readFrames(context)
    }

    private func readFrames(_ context: ChannelHandlerContext) {
        guard frames != nil else { return }
        do {
            if !isUpgraded {
                guard try frames?.nextHead() != nil else { return }
                isUpgraded = true
                if let bytes = script.upgraded {
                    dripDue = .now()
                    let sent = context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated()
                    sent.whenComplete { [self] _ in finish() }
                }
            }
            while let frame = try frames?.nextFrame() {
                guard frame.opcode == .close else { continue }
                closeCode = frame.payload.getInteger(at: frame.payload.readerIndex) ?? 1005
            }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end() {
        guard !isEnded else { return }
        isEnded = true
        force.ended(self)
    }
}

@available(*, unavailable)
extension AttackSocket: Sendable {}
