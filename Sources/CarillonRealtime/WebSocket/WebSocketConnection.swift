import CarillonDomain
package import NIOCore

/// One socket of one device, from the first byte of its upgrade request to its end.
///
/// The handler is the last of its channel and the only one that knows of WebSockets: whoever accepts the connection adds it and passes on what
/// was read. It holds no task, timer or promise, because tens of thousands of it are idle at any time: `WebSocketGroup` looks at all of them once
/// a second, and what is rare lives in objects that exist only while they are needed. What bytes mean is decided by `WebSocketUpgrade`,
/// `WebSocketDecoder`, `WebSocketOutbox` and `WebSocketRateLimiter`, none of which does I/O.
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
        /// The peer cannot be understood any more, or was refused: when all is written our side ends, and what comes is thrown away until the
        /// peer ends too. Closing at once would reset the connection and could take from the peer what it was told.
        case failing((any WebSocketSession)?)
        case closed
    }

    private enum Flood: UInt8 {
        case none
        /// Over its rate a short while ago, but read from.
        case slowed
        /// Not read from.
        case stopped
    }

    let group: WebSocketGroup
    private var context: ChannelHandlerContext?
    private var stage: Stage
    /// The part of a request head that has come so far, when it comes in pieces.
    private var head: UpgradeHead?
    private var decoder = WebSocketDecoder()
    private var outbox = WebSocketOutbox()
    /// Live bytes given to the channel, from some moment at which it held none. Compared with what it holds only when the cap is reached.
    private var handedBytes = 0
    private var limiter = WebSocketRateLimiter()
    /// The second at which what the group watches began: handshake, flood or close. Nil when the group does not watch.
    var watchedSince: UInt32?
    /// Where the group's wheel holds this socket.
    var wheelPlace = WebSocketGroup.Place.none
    private var closeCode: WebSocketCloseCode?
    private var unansweredPings: UInt8 = 0
    private var flood = Flood.none
    var isDirty = false
    private var isWriting = false
    private var isReadHeld = false
    private var wantsDrained = false
    private var isEnding = false

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

    package var peerAddress: SocketAddress? { context?.remoteAddress }
}

// MARK: Sending

extension WebSocketConnection {
    /// Sends a live frame; all frames of one tick leave in one write. Closes with 1013 where the device has left too much untaken. No effect
    /// unless open.
    ///
    /// - Parameter frame: Whole frames as `WebSocketFrame` writes them; the buffer may be shared by any number of connections.
    /// - Cost: no allocation for the only frame of a tick
    package func send(_ frame: ByteBuffer) {
        guard isOpen, hasRoom(frame.readableBytes) else { return }
        outbox.append(frame, isLive: true)
        group.markDirty(self)
    }

    /// Sends frames of a replay or sync in order with the live ones, but without counting them: `drained()` says when to send the next page.
    package func sendBulk(_ frame: ByteBuffer) {
        guard isOpen else { return }
        outbox.append(frame, isLive: false)
        wantsDrained = true
        group.markDirty(self)
    }

    /// Says close, after what was sent before, and ends the socket when the peer has answered or `closeTimeout` has passed. Before the upgrade
    /// it ends at once.
    package func close(code: WebSocketCloseCode, reason: String = "") {
        group.eventLoop.assertInEventLoop()
        switch stage {
        case .handshake: context?.close(promise: nil)
        case .open(let session): begin(.closing(session), saying: code, reason)
        case .closing, .finishing, .failing, .closed: break
        }
    }

    /// Ends the socket without a word, or at most one that it need not hear.
    func abort(_ code: WebSocketCloseCode? = nil, reason: String = "") {
        if let code, isOpen, let context {
            closeCode = code
            write(WebSocketFrame.close(code, reason: reason), frames: 1, context)
        }
        context?.close(promise: nil)
    }

    private func hasRoom(_ bytes: Int) -> Bool {
        let limit = group.settings.outboxBytes
        if outbox.liveBytes + handedBytes + bytes <= limit { return true }
        writeOutbox()
        guard isOpen, let context else { return false }
        let buffered = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        handedBytes = min(handedBytes, buffered ?? handedBytes)
        if outbox.liveBytes + handedBytes + bytes <= limit { return true }
        closeSlow(context)
        return false
    }

    /// What the device has not taken is dropped: it will ask again. The close frame goes to the channel at once, since the outbox would keep it
    /// for as long as the channel has enough to do.
    private func closeSlow(_ context: ChannelHandlerContext) {
        guard case .open(let session) = stage else { return }
        let code = WebSocketCloseCode.tryAgainLater
        leaveOpen(.closing(session), code)
        outbox.removeAll()
        write(WebSocketFrame.close(code, reason: "too slow"), frames: 1, context)
        resumeReading()
    }

    private func begin(_ next: Stage, saying code: WebSocketCloseCode?, _ reason: String = "") {
        leaveOpen(next, code)
        outbox.append(WebSocketFrame.close(code, reason: reason), isLive: false)
        group.markDirty(self)
        resumeReading()
    }

    private func leaveOpen(_ next: Stage, _ code: WebSocketCloseCode?) {
        stage = next
        if closeCode == nil { closeCode = code }
        group.watch(self)
    }

    /// One tick's frames, called by the group; also what the channel had no room for, called when it has.
    func flush() {
        writeOutbox()
        guard let context, outbox.isEmpty else { return }
        switch stage {
        case .open(let session):
            guard wantsDrained, context.channel.isWritable else { return }
            wantsDrained = false
            session.drained()
        case .finishing: end(.all, context)
        case .failing: end(.output, context)
        case .handshake, .closing, .closed: break
        }
    }

    /// Gives the channel what it has room for. Writability changes inside, which is why it may be entered again.
    private func writeOutbox() {
        guard !isWriting else { return }
        isWriting = true
        defer { isWriting = false }
        while let context, context.channel.isWritable, let batch = outbox.next() {
            handedBytes += batch.liveBytes
            write(batch.bytes, frames: batch.frames, context)
        }
    }

    private func write(_ bytes: ByteBuffer, frames: Int, _ context: ChannelHandlerContext) {
        group.observer?.webSocketWrote(frames: frames, bytes: bytes.readableBytes)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Closes the channel, or our side of it, when everything before has been written.
    private func end(_ mode: CloseMode, _ context: ChannelHandlerContext) {
        guard !isEnding else { return }
        isEnding = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenSuccess {
            context.close(mode: mode, promise: nil)
        }
    }
}

// MARK: Receiving

extension WebSocketConnection {
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        unansweredPings = 0
        switch stage {
        case .handshake(let acceptor): receiveHead(bytes, acceptor)
        case .open, .closing: receiveFrames(bytes)
        case .finishing, .failing, .closed: break
        }
    }

    private func receiveHead(_ bytes: ByteBuffer, _ acceptor: any WebSocketAcceptor) {
        let head = head ?? UpgradeHead(limit: group.settings.maxHeadBytes)
        switch head.append(bytes) {
        case .incomplete: self.head = head
        case .refused(let refusal): refuse(refusal)
        case .complete(let upgrade, let rest):
            self.head = nil
            open(upgrade, acceptor)
            if rest.readableBytes > 0 { receiveFrames(rest) }
        }
    }

    private func open(_ upgrade: WebSocketUpgrade, _ acceptor: any WebSocketAcceptor) {
        switch acceptor.accept(query: upgrade.query, connection: self) {
        case .failure(let problem): refuse(WebSocketRefusal(problem: problem))
        case .success(let session):
            guard case .handshake = stage, let context else { return session.closed() }
            stage = .open(session)
            group.add(self)
            let response = context.channel.allocator.buffer(string: upgrade.response)
            context.writeAndFlush(wrapOutboundOut(response), promise: nil)
            session.opened()
        }
    }

    private func refuse(_ refusal: WebSocketRefusal) {
        guard case .handshake = stage, let context else { return }
        head = nil
        stage = .failing(nil)
        group.observer?.webSocketRefused(status: refusal.problem.status)
        context.write(wrapOutboundOut(ByteBuffer(string: refusal.response)), promise: nil)
        group.watch(self)
        end(.output, context)
    }

    private func receiveFrames(_ bytes: ByteBuffer) {
        var frames = 0
        bytes.withUnsafeReadableBytes { bytes in
            var input = bytes
            while isReadingFrames {
                let event = decoder.next(&input, limit: group.settings.maxMessageBytes)
                if case .needsMore = event { return }
                frames += 1
                received(event)
            }
        }
        if frames > 0 { charge(frames) }
    }

    private var isReadingFrames: Bool {
        switch stage {
        case .open, .closing: true
        case .handshake, .finishing, .failing, .closed: false
        }
    }

    private func received(_ event: WebSocketDecoder.Event) {
        switch (event, stage) {
        case (.message(let message), .open(let session)): session.received(message)
        case (.ping(let payload), .open): send(WebSocketFrame.pong(payload))
        case (.close(let code), .open(let session)):
            outbox.removeAll()
            begin(.finishing(session), saying: code)
        case (.close, .closing(let session)):
            stage = .finishing(session)
            group.markDirty(self)
        case (.violation(let violation), .open(let session)):
            begin(.failing(session), saying: violation.code, violation.reason)
        case (.violation, .closing): abort()
        default: break
        }
    }
}

// MARK: Back-pressure and time

extension WebSocketConnection {
    private func charge(_ frames: Int) {
        guard isOpen else { return }
        let now = group.eventLoop.now
        limiter.charge(frames: frames, at: now, group.settings)
        guard flood != .stopped, limiter.isOver(at: now, group.settings) else { return }
        if flood == .none { group.watch(self) }
        flood = .stopped
        group.observer?.webSocketThrottled()
    }

    /// A device that does not take what it is sent, or sends too fast, is not read from: so its own requests cannot make its outbox grow.
    private var mayRead: Bool {
        guard case .open = stage, let context else { return true }
        return flood != .stopped && context.channel.isWritable
    }

    private func resumeReading() {
        guard isReadHeld, mayRead, let context else { return }
        isReadHeld = false
        context.read()
    }

    package func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadHeld = true }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, !isWriting else { return }
        flush()
        resumeReading()
    }

    /// Called when the wheel comes round: any byte since the last time counts as life.
    func pingDue() {
        guard isOpen else { return }
        guard unansweredPings < 2 else { return abort(.goingAway, reason: "no answer to two pings") }
        unansweredPings += 1
        outbox.append(WebSocketFrame.ping, isLive: false)
        group.markDirty(self)
    }

    /// Called every second while the group watches this socket.
    ///
    /// - Returns: Whether it still has to.
    func secondPassed(since: UInt32) -> Bool {
        let seconds = Int(group.second &- since)
        switch stage {
        case .open: return floodContinues(for: seconds)
        case .closed: return false
        case .handshake where seconds < group.settings.handshakeTimeout.wholeSeconds: return true
        case .closing where seconds < group.settings.closeTimeout.wholeSeconds: return true
        case .finishing where seconds < group.settings.closeTimeout.wholeSeconds: return true
        case .failing where seconds < group.settings.closeTimeout.wholeSeconds: return true
        case .handshake, .closing, .finishing, .failing:
            abort()
            return false
        }
    }

    private func floodContinues(for seconds: Int) -> Bool {
        guard flood != .none else { return false }
        let now = group.eventLoop.now
        if seconds >= group.settings.floodTimeout.wholeSeconds {
            close(code: .tooManyRequests, reason: "too many messages")
        } else if flood == .stopped, limiter.mayResume(at: now, group.settings) {
            flood = .slowed
            resumeReading()
        } else if flood == .slowed, limiter.isCalm(at: now, group.settings) {
            flood = .none
            return false
        }
        return true
    }
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
