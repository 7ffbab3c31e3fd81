internal import CarillonSocket
package import NIOCore

/// One socket of one device, from the first byte of its upgrade request to its end.
///
/// The handler is the last of its channel and the only one that knows of WebSockets: whoever accepts the connection
/// adds it and passes on what was read. It holds no task, timer or promise, because tens of thousands of it are idle at
/// any time: `WebSocketGroup` keeps time for all of them, and what is rare lives in objects that exist only while they
/// are needed. What bytes mean is decided by `WebSocketUpgrade`, `WebSocketDecoder`, `WebSocketOutbox` and
/// `WebSocketRateLimiter`, none of which does I/O.
///
///     handshake ──► open ──► closing ──► finishing ──► closed
///         │           ├────────────────────▲
///         └───────────┴────► failing ───────────────────▲
///
/// Any stage may go to closed at once when the peer goes.
/// - Isolation: event loop of the channel
/// - Source: RFC 6455
package final class WebSocketConnection: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum Stage {
        case handshake(any WebSocketAcceptor)
        case open(any WebSocketSession)
        /// Our close frame is on its way: what the peer sends is read for its own close only.
        case closing(any WebSocketSession)
        /// Both sides said close: the channel is closed when all is written.
        case finishing(any WebSocketSession)
        /// The peer cannot be understood any more, or was refused: when all is written our side ends, and what comes is
        /// thrown away until the peer ends too. Closing at once would reset the connection and could take from the peer
        /// what it was told.
        case failing((any WebSocketSession)?)
        case closed
    }

    enum Flood: UInt8 {
        case none
        /// Over its rate a short while ago, but read from.
        case slowed
        /// Not read from.
        case stopped
    }

    let group: WebSocketGroup
    var context: ChannelHandlerContext?
    var stage: Stage
    /// The part of a request head that has come so far, when it comes in pieces.
    var head: UpgradeHead?
    var decoder = WebSocketDecoder()
    var outbox = WebSocketOutbox()
    /// None before the upgrade.
    var socket = DirectSocket.none
    /// Bytes of live frames that the channel was given, because the socket did not take them at once, and still has.
    var channelLiveBytes = 0
    var limiter = WebSocketRateLimiter()
    /// The second at which what the group watches began: handshake, flood or close. Nil when the group does not watch.
    var watchedSince: UInt32?
    /// Where the group's wheel holds this socket.
    var wheelPlace = WebSocketGroup.Place.none
    var closeCode: WebSocketCloseCode?
    var unansweredPings: UInt8 = 0
    var flood = Flood.none
    var isDirty = false
    var isWriting = false
    var isReadHeld = false
    var wantsDrained = false
    var isEnding = false

    package init(acceptor: any WebSocketAcceptor, group: WebSocketGroup) {
        self.group = group
        stage = .handshake(acceptor)
    }

    /// Whether frames that are sent now will be written.
    package var isOpen: Bool {
        group.eventLoop.assertInEventLoop()
        if case .open = stage { return true }
        return false
    }

    /// Nil once the socket is gone.
    package var peerAddress: SocketAddress? { context?.remoteAddress }
}

// MARK: Life of the channel

extension WebSocketConnection {
    package func handlerAdded(context: ChannelHandlerContext) {
        group.eventLoop.assertInEventLoop()
        self.context = context
        group.watch(self)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        finish()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// The channel may be set up to survive the end of the peer's side; a WebSocket does not.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }

    private func finish() {
        let last = stage
        stage = .closed
        context = nil
        socket = .none
        head = nil
        decoder = WebSocketDecoder()
        outbox.removeAll()
        switch last {
        case .open(let session), .closing(let session), .finishing(let session), .failing(.some(let session)):
            group.remove(self)
            group.observer?.webSocketClosed(closeCode)
            session.closed()
        case .handshake, .failing(nil), .closed: break
        }
    }
}

@available(*, unavailable)
extension WebSocketConnection: Sendable {}
