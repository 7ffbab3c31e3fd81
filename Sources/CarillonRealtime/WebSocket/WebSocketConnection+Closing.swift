package import NIOCore

extension WebSocketConnection {
    /// Says close, after what was sent before, and ends the socket when the peer has answered or `closeTimeout` has
    /// passed. Before the upgrade it ends at once.
    package func close(code: WebSocketCloseCode, reason: String = "") {
        group.eventLoop.assertInEventLoop()
        switch stage {
        case .handshake: cut()
        case .open(let session): begin(.closing(session), saying: code, reason)
        case .closing, .finishing, .failing, .closed: break
        }
    }

    /// Ends the socket at once. `code` is a last word that the peer may or may not hear.
    func abort(_ code: WebSocketCloseCode, reason: String) {
        if isOpen, context != nil {
            closeCode = code
            write(WebSocketFrame.close(code, reason: reason), frames: 1)
        }
        cut()
    }

    /// The close frame goes to the channel at once, since the outbox would keep it for as long as the channel has enough to do.
    func closeAsSlow() {
        guard case .open(let session) = stage else { return }
        let code = WebSocketCloseCode.tryAgainLater
        leaveOpen(.closing(session), code)
        outbox.removeAll()
        write(WebSocketFrame.close(code, reason: "too slow"), frames: 1)
        resumeReading()
    }

    func begin(_ next: Stage, saying code: WebSocketCloseCode?, _ reason: String = "") {
        leaveOpen(next, code)
        outbox.append(WebSocketFrame.close(code, reason: reason), isLive: false)
        group.markDirty(self)
        resumeReading()
    }
}
