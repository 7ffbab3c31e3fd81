internal import NIOCore
internal import NIOWebSocket

/// The client's end of one WebSocket: answers pings and closes, sees that the peer is alive, hands texts on.
///
/// - Isolation: event loop of the channel
/// - Source: RFC 6455 §5.5
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    enum Event {
        case text(ByteBuffer)
        /// The connection is gone. `code` is the peer's; nil where it went without one.
        case closed(code: UInt16?, reason: String)
    }

    /// Largest frame and largest message; a sync.response holds up to 100 messages of 256 KiB.
    static let largestMessage = 64 * 1_048_576
    /// Silence after which the peer is pinged, and after which it is given up.
    static let silence = TimeAmount.seconds(40)
    private static let closeTimeout = TimeAmount.seconds(1)

    private let onEvent: (Event) -> Void
    private var context: ChannelHandlerContext?
    private var pinged = false
    private var saidClose = false
    private var peerClose: (code: UInt16?, reason: String)?
    private var failure: (any Error)?

    init(_ onEvent: @escaping (Event) -> Void) { self.onEvent = onEvent }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func send(text: String) { write(.text, ByteBuffer(string: text)) }

    /// Says close, and closes when the peer has said it too, or has had its time.
    func close() {
        guard let context, !saidClose else { return }
        say(close: 1000)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.closeTimeout) { context.close(promise: nil) }
    }

    private func say(close code: UInt16?) {
        guard !saidClose else { return }
        saidClose = true
        var data = ByteBuffer()
        if let code { data.writeInteger(code) }
        write(.connectionClose, data)
    }

    private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        guard let context else { return }
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pinged = false
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text where !saidClose: onEvent(.text(frame.unmaskedData))
        case .ping where !saidClose: write(.pong, frame.unmaskedData)
        case .connectionClose:
            var data = frame.unmaskedData
            let code = data.readInteger(as: UInt16.self)
            peerClose = (code, String(buffer: data))
            say(close: code)
            context.close(promise: nil)
        default: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case IdleStateHandler.IdleStateEvent.read = event else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        guard !pinged else {
            failure = UsageError("the server fell silent")
            context.close(promise: nil)
            return
        }
        pinged = true
        write(.ping, ByteBuffer())
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = failure ?? error
        context.close(promise: nil)
    }

    /// To be called when the channel is closed; `channelInactive` may pass before the handler joins the pipeline.
    func connectionClosed() {
        if let peerClose {
            onEvent(.closed(code: peerClose.code, reason: peerClose.reason))
        } else {
            onEvent(.closed(code: nil, reason: failure.map(Connector.describe) ?? "the connection was lost"))
        }
    }
}

@available(*, unavailable)
extension WebSocketHandler: Sendable {}
