internal import CarillonSocket
package import NIOCore

extension WebSocketConnection {
    /// Sends a live frame; all frames of one tick leave in one write. Closes with 1013 where the device has left too
    /// much untaken. No effect unless open.
    ///
    /// - Parameter frame: Whole frames as `WebSocketFrame` writes them; any number of connections may share
    ///   the buffer.
    /// - Cost: no allocation for the only frame of a tick
    package func send(_ frame: ByteBuffer) {
        guard isOpen, hasRoom(frame.readableBytes) else { return }
        outbox.append(frame, isLive: true)
        group.markDirty(self)
    }

    /// Sends frames of a replay or sync in order with the live ones, but without counting them: `drained()` says when
    /// to send the next page.
    package func sendBulk(_ frame: ByteBuffer) {
        guard isOpen else { return }
        outbox.append(frame, isLive: false)
        wantsDrained = true
        group.markDirty(self)
    }

    /// Says close, after what was sent before, and ends the socket when the peer has answered or `closeTimeout` has
    /// passed. Before the upgrade it ends at once.
    package func close(code: WebSocketCloseCode, reason: String = "") {
        group.eventLoop.assertInEventLoop()
        switch stage {
        case .handshake: context?.close(promise: nil)
        case .open(let session): begin(.closing(session), saying: code, reason)
        case .closing, .finishing, .failing, .closed: break
        }
    }

    /// Ends the socket at once. `code` is a last word that the peer may or may not hear.
    func abort(_ code: WebSocketCloseCode? = nil, reason: String = "") {
        if let code, isOpen, let context {
            closeCode = code
            write(WebSocketFrame.close(code, reason: reason), frames: 1)
        }
        context?.close(promise: nil)
    }

    /// A frame that is longer than the whole cap still goes to a device that has taken everything before.
    private func hasRoom(_ bytes: Int) -> Bool {
        if isWithinCap(bytes) { return true }
        writeOutbox()
        guard isOpen, let context else { return false }
        if isWithinCap(bytes) { return true }
        closeSlow(context)
        return false
    }

    private func isWithinCap(_ bytes: Int) -> Bool {
        let waiting = outbox.liveBytes + channelLiveBytes
        return waiting == 0 || waiting + bytes <= group.settings.outboxBytes
    }

    /// What the device has not taken is dropped: it will ask again. The close frame goes to the channel at once, since
    /// the outbox would keep it for as long as the channel has enough to do.
    private func closeSlow(_ context: ChannelHandlerContext) {
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

    private func leaveOpen(_ next: Stage, _ code: WebSocketCloseCode?) {
        stage = next
        if closeCode == nil { closeCode = code }
        group.watch(self)
    }

    /// One tick's frames, called by the group; also what the channel had no room for, called when it has.
    func flush() {
        writeOutbox()
        guard outbox.isEmpty, !isOpen || wantsDrained, let context else { return }
        switch stage {
        case .open(let session):
            guard isWritable else { return }
            wantsDrained = false
            session.drained()
        case .finishing: end(.all, context)
        case .failing: end(.output, context)
        case .handshake, .closing, .closed: break
        }
    }

    /// Gives the channel what it has room for. Writability changes inside, which is why it may be entered again.
    func writeOutbox() {
        guard !isWriting else { return }
        isWriting = true
        defer { isWriting = false }
        while isWritable, let batch = outbox.next() {
            write(batch.bytes, frames: batch.frames, liveBytes: batch.liveBytes)
        }
    }

    private var isWritable: Bool { socket.isIdle || context?.channel.isWritable ?? false }

    /// Gives bytes to the socket; what it does not take at once, to the channel, and everything after that until the channel has
    /// got rid of it.
    func write(_ bytes: ByteBuffer, frames: Int, liveBytes: Int = 0) {
        group.observer?.webSocketWrote(frames: frames, bytes: bytes.readableBytes)
        guard let rest = socket.send(bytes), let context else { return }
        let left = min(liveBytes, rest.readableBytes)
        channelLiveBytes += left
        context.writeAndFlush(wrapOutboundOut(rest)).assumeIsolated().whenComplete { [self] _ in
            socket.channelWrote()
            channelLiveBytes -= left
        }
    }

    /// Closes the channel, or our side of it, when everything before has been written.
    func end(_ mode: CloseMode, _ context: ChannelHandlerContext) {
        guard !isEnding else { return }
        isEnding = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenSuccess {
            context.close(mode: mode, promise: nil)
        }
    }
}
