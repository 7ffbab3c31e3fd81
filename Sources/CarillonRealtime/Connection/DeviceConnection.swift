package import CarillonDomain
internal import CarillonSocket
package import NIOCore

/// One socket of one device: what a WebSocket and an event stream have in common, which is all of sending and most of their life.
///
/// Each kind is the last handler of its channel. It holds no task, timer or promise, because tens of thousands of it are idle at
/// any time: `ConnectionGroup` keeps time for all of them, and what is rare lives in objects that exist only while they are
/// needed.
///
///     handshake ──► open ──► closing ──► finishing ──► closed
///         │           ├────────────────────▲
///         └───────────┴────► failing ───────────────────▲
///
/// Any stage may go to closed at once when the peer goes. An event stream has nobody to say farewell to: it ends as one that
/// fails does.
/// - Isolation: event loop of the channel
package class DeviceConnection {
    enum Stage {
        case handshake(any ConnectionAcceptor)
        case open(any ConnectionSession)
        /// Our close frame is on its way: what the peer sends is read for its own close only.
        case closing(any ConnectionSession)
        /// Both sides said close: the channel is closed when all is written.
        case finishing(any ConnectionSession)
        /// The peer cannot be understood any more, was refused, or was told all there is: when all is written our side ends, and
        /// what comes is thrown away until the peer ends too. Closing at once would reset the connection and could take from the
        /// peer what it was told.
        case failing((any ConnectionSession)?)
        case closed
    }

    let group: ConnectionGroup
    var context: ChannelHandlerContext?
    var stage: Stage
    var outbox = Outbox()
    /// None before the upgrade.
    var socket = DirectSocket.none
    /// Bytes of live frames that the channel was given, because the socket did not take them at once, and still has.
    var channelLiveBytes = 0
    /// The second at which what the group watches began: handshake, flood or close. Nil when the group does not watch.
    var watchedSince: UInt32?
    /// Where the group's wheel holds this socket.
    var wheelPlace = ConnectionGroup.Place.none
    var closeCode: WebSocketCloseCode?
    var isDirty = false
    var isWriting = false
    var wantsDrained = false
    var isEnding = false

    init(acceptor: any ConnectionAcceptor, group: ConnectionGroup) {
        self.group = group
        stage = .handshake(acceptor)
    }

    /// Whether frames that are sent now will be written.
    package final var isOpen: Bool {
        group.eventLoop.assertInEventLoop()
        if case .open = stage { return true }
        return false
    }

    /// When a device that is sent away is to come back: random, so that not all come at once.
    static var comeBackMilliseconds: Int { Int.random(in: 100...1_000) }

    /// Nil once the socket is gone.
    package final var peerAddress: SocketAddress? { context?.remoteAddress }

    /// The socket is gone.
    final func finish() {
        let last = stage
        stage = .closed
        context = nil
        socket = .none
        outbox.removeAll()
        switch last {
        case .open(let session), .closing(let session), .finishing(let session), .failing(.some(let session)):
            group.remove(self)
            group.observer?.closed(closeCode)
            session.closed()
        case .handshake, .failing(nil), .closed: break
        }
    }

    // MARK: - What each kind does in its own way

    /// The message that was just received is as much work as so many more.
    func charge(_ messages: Int) {}

    package var transport: Transport { preconditionFailure("each kind has its own") }

    /// The language of the device; nil: that of `ServerFrame` and `ClientFrame`.
    var subprotocol: Subprotocol? { nil }

    /// The frame as this kind sends it; nothing where it has no word for it.
    func bytes(of frame: inout DeviceFrame) -> ByteBuffer { preconditionFailure("each kind has its own") }

    /// The pod is stopping: ends the connection behind what was sent, with a hint when to come back.
    package func sendAway(pauseMilliseconds: Int) { preconditionFailure("each kind has its own") }

    /// Stream ids went back: ends the connection; the device has to forget what it knows.
    package func demandResync() { preconditionFailure("each kind has its own") }

    /// The device has left too much untaken, which is dropped: it will ask again.
    func closeSlow(_ context: ChannelHandlerContext) { preconditionFailure("each kind has its own") }

    /// The wheel has come round: time for a sign of life.
    func pingDue() { preconditionFailure("each kind has its own") }

    /// Called every second while the group watches this socket.
    ///
    /// - Returns: Whether it still has to.
    func secondPassed(since: UInt32) -> Bool { preconditionFailure("each kind has its own") }
}

@available(*, unavailable)
extension DeviceConnection: Sendable {}
