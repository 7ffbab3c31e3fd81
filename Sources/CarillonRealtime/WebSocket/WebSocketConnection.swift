package import CarillonDomain
package import NIOCore

/// One socket of one device that speaks WebSocket, from the first byte of its upgrade request to its end.
///
/// The only handler that knows of WebSockets: whoever accepts the connection adds it and passes on what was read. What
/// bytes mean is decided by `WebSocketUpgrade`, `WebSocketDecoder`, `Outbox` and `WebSocketRateLimiter`, none of which
/// does I/O.
/// - Isolation: event loop of the channel
/// - Source: RFC 6455
package final class WebSocketConnection: DeviceConnection, ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum Flood: UInt8 {
        case none
        /// Over its rate a short while ago, but read from.
        case slowed
        /// Not read from.
        case stopped
    }

    /// The part of a request head that has come so far, when it comes in pieces.
    var head: UpgradeHead?
    var decoder = WebSocketDecoder()
    var limiter = WebSocketRateLimiter()
    var unansweredPings: UInt8 = 0
    var flood = Flood.none
    var isReadHeld = false
    /// What the handshake agreed on.
    var chosenSubprotocol: Subprotocol?

    package override init(acceptor: any ConnectionAcceptor, group: ConnectionGroup) {
        super.init(acceptor: acceptor, group: group)
    }

    package override var transport: Transport { .webSocket }

    override var subprotocol: Subprotocol? { chosenSubprotocol }

    override func bytes(of frame: inout DeviceFrame) -> ByteBuffer {
        chosenSubprotocol == nil ? frame.webSocket : frame.notificationsV1()
    }

    package override func sendAway(pauseMilliseconds pause: Int) {
        close(code: .goingAway, reason: "going away; come back in \(pause) ms")
    }

    package override func demandResync() { close(code: .serviceRestart, reason: "resync needed") }

    override func closeSlow(_ context: ChannelHandlerContext) { closeAsSlow() }

    override func pingDue() { ping() }

    override func charge(_ messages: Int) { count(messages) }

    override func secondPassed(since: UInt32) -> Bool { isStillWatched(since: since) }
}

// MARK: Life of the channel

extension WebSocketConnection {
    package func handlerAdded(context: ChannelHandlerContext) {
        group.eventLoop.assertInEventLoop()
        self.context = context
        group.watch(self)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        ended()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        ended()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// The channel may be set up to survive the end of the peer's side; a WebSocket does not.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    private func ended() {
        head = nil
        decoder = WebSocketDecoder()
        finish()
    }
}
