internal import CarillonSocket
package import NIOCore

extension DeviceConnection {
    /// Sends a live frame; all frames of one tick leave in one write. Sends the device away where it has left too much untaken.
    /// No effect unless open.
    ///
    /// - Cost: no allocation for the only frame of a tick
    package final func send(_ frame: inout DeviceFrame) { send(bytes(of: &frame)) }

    /// Sends a frame of a replay or an answer in order with the live ones, but without counting it: `drained()` says when to send
    /// the next page.
    package final func sendBulk(_ frame: DeviceFrame) {
        var frame = frame
        sendBulk(bytes(of: &frame))
    }

    /// - Parameter bytes: Whole frames in this connection's encoding; any number of connections may share the buffer.
    package final func send(_ bytes: ByteBuffer) {
        guard isOpen, bytes.readableBytes > 0, hasRoom(bytes.readableBytes) else { return }
        outbox.append(bytes, isLive: true)
        group.markDirty(self)
    }

    package final func sendBulk(_ bytes: ByteBuffer) {
        guard isOpen else { return }
        if bytes.readableBytes > 0 { outbox.append(bytes, isLive: false) }
        callWhenDrained()
    }

    /// Has the session hear `drained()` once all that it sent has left, be it nothing.
    final func callWhenDrained() {
        guard isOpen else { return }
        wantsDrained = true
        group.markDirty(self)
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

    /// - Parameter code: Why, as metrics count it.
    final func leaveOpen(_ next: Stage, _ code: WebSocketCloseCode?) {
        stage = next
        if closeCode == nil { closeCode = code }
        group.watch(self)
    }

    /// One tick's frames, called by the group; also what the channel had no room for, called when it has.
    final func flush() {
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
    final func writeOutbox() {
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
    final func write(_ bytes: ByteBuffer, frames: Int, liveBytes: Int = 0) {
        group.observer?.wrote(frames: frames, bytes: bytes.readableBytes)
        guard let rest = socket.send(bytes), let context else { return }
        let left = min(liveBytes, rest.readableBytes)
        channelLiveBytes += left
        context.writeAndFlush(NIOAny(rest)).assumeIsolated().whenComplete { [self] _ in
            socket.channelWrote()
            channelLiveBytes -= left
        }
    }

    /// Closes the channel, or our side of it, when everything before has been written.
    final func end(_ mode: CloseMode, _ context: ChannelHandlerContext) {
        guard !isEnding else { return }
        isEnding = true
        context.writeAndFlush(NIOAny(ByteBuffer())).assumeIsolated().whenSuccess {
            context.close(mode: mode, promise: nil)
        }
    }

    /// Ends the socket at once, whatever is still to be written.
    final func cut() { context?.close(promise: nil) }
}
