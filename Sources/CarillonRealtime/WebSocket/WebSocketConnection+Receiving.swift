import CarillonDomain
internal import CarillonSocket
package import NIOCore

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

    private func receiveHead(_ bytes: ByteBuffer, _ acceptor: any ConnectionAcceptor) {
        let head = head ?? UpgradeHead()
        switch head.append(bytes, limit: group.settings.maxHeadBytes) {
        case .incomplete: self.head = head
        case .refused(let refusal): refuse(refusal)
        case .complete(let upgrade, let rest):
            self.head = nil
            open(upgrade, acceptor)
            if rest.readableBytes > 0 { receiveFrames(rest) }
        }
    }

    private func open(_ upgrade: WebSocketUpgrade, _ acceptor: any ConnectionAcceptor) {
        chosenSubprotocol = upgrade.subprotocol
        switch acceptor.accept(query: upgrade.query, lastEventID: nil, connection: self) {
        case .failure(let problem): refuse(WebSocketRefusal(problem: problem))
        case .success(let session):
            guard case .handshake = stage, let context else { return session.closed() }
            stage = .open(session)
            group.add(self)
            socket = DirectSocket(context.channel)
            write(context.channel.allocator.buffer(string: upgrade.response), frames: 0)
            // Where the peer is gone already, the write has found that out and ended everything.
            if isOpen { session.opened() }
        }
    }

    private func refuse(_ refusal: WebSocketRefusal) {
        guard case .handshake = stage, let context else { return }
        head = nil
        stage = .failing(nil)
        group.observer?.answered(transport, status: refusal.problem.status)
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
        count(frames)
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
        case (.violation, .closing): cut()
        default: break
        }
    }
}
