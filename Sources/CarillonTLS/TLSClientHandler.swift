package import NIOCore

/// The client side of TLS 1.2 and 1.3 in a channel's pipeline.
///
/// Put it first. Handlers behind it hear `channelActive` once the handshake is complete, whether the handler was added
/// before the channel connected or to a channel that was active already; what they write before that waits.
/// The records of one flush leave as one socket write. A peer's close_notify closes the channel; an end without one,
/// a failed handshake and a broken record are `TLSError`s through `errorCaught`, followed by a close.
///
/// - Isolation: event loop of the channel
/// - Source: RFC 8446, RFC 5246; RFC 6066 §3 (server name), RFC 6125 (host name check), both by OpenSSL 3
package final class TLSClientHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Time from the start of the handshake to its end before the connection is given up.
    package static let handshakeTimeout = TimeAmount.seconds(10)

    private enum State {
        case idle
        case handshaking
        case active
        /// We said close_notify and may still hear.
        case outputClosed
        case closed
    }

    private struct PendingWrite {
        let bytes: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    private let engine: TLSEngine
    private var state = State.idle
    private var writes = MarkedCircularBuffer<PendingWrite>(initialCapacity: 4)
    private var deadline: Scheduled<Void>?
    /// A reader asked for bytes and has got none yet; records that carry no data must not swallow its request.
    private var owesRead = false

    /// - Parameter serverHostname: The name, or the address, that the certificate must be for; a name is also sent as SNI.
    /// - Throws: `TLSError` code `.configuration` when the CA file or the name cannot be used.
    package init(configuration: TLSClientConfiguration, serverHostname: String) throws(TLSError) {
        engine = try TLSEngine(configuration: configuration, serverHostname: serverHostname)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        finish()
    }

    package func channelActive(context: ChannelHandlerContext) {
        if case .idle = state { start(context) }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        let error: TLSError? =
            switch state {
            case .idle, .closed: nil
            case .handshaking: TLSError(.handshake, "the peer closed the connection during the TLS handshake")
            case .active, .outputClosed: .truncated
            }
        finish()
        if let error { context.fireErrorCaught(error) }
        context.fireChannelInactive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            switch state {
            case .handshaking:
                fail(context, TLSError(.handshake, "the peer closed the connection during the TLS handshake"))
            case .active, .outputClosed: fail(context, .truncated)
            case .idle, .closed: break
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Handshake

    private func start(_ context: ChannelHandlerContext) {
        state = .handshaking
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.handshakeTimeout) {
            guard case .handshaking = self.state else { return }
            self.fail(context, TLSError(.handshake, "the TLS handshake took longer than 10 seconds"))
        }
        proceed(context)
        context.read()
    }

    private func proceed(_ context: ChannelHandlerContext) {
        let progress = engine.handshake()
        switch progress {
        case .done:
            state = .active
            deadline?.cancel()
            deadline = nil
            encryptFlushed(context)
            context.fireChannelActive()
        case .wantsMore: sendOutput(context, promise: nil)
        case .peerClosed:
            fail(context, TLSError(.handshake, "the peer closed the connection during the TLS handshake"))
        case .failed(let error): fail(context, error)
        }
    }

    // MARK: Reading

    package func read(context: ChannelHandlerContext) {
        owesRead = true
        context.read()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .closed = state { return }
        engine.receive(unwrapInboundIn(data))
        if case .handshaking = state { proceed(context) }
        switch state {
        case .active, .outputClosed: decrypt(context)
        case .idle, .handshaking, .closed: break
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        switch state {
        case .handshaking: context.read()
        case .idle, .active, .outputClosed, .closed:
            context.fireChannelReadComplete()
            if owesRead { context.read() }
        }
    }

    private func decrypt(_ context: ChannelHandlerContext) {
        var plaintext = context.channel.allocator.buffer(capacity: 0)
        let progress = engine.decrypt(into: &plaintext)
        // Answers that the peer's records called for, such as a key update.
        sendOutput(context, promise: nil)
        if plaintext.readableBytes > 0 {
            owesRead = false
            context.fireChannelRead(wrapInboundOut(plaintext))
        }
        if case .closed = state { return }
        switch progress {
        case .done, .wantsMore: break
        case .peerClosed: close(context: context, mode: .all, promise: nil)
        case .failed(let error): fail(context, error)
        }
    }

    // MARK: Writing

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch state {
        case .idle, .handshaking, .active:
            writes.append(PendingWrite(bytes: unwrapOutboundIn(data), promise: promise))
        case .outputClosed, .closed: promise?.fail(ChannelError.ioOnClosedChannel)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        writes.mark()
        if case .active = state { encryptFlushed(context) }
    }

    private func encryptFlushed(_ context: ChannelHandlerContext) {
        var written: EventLoopPromise<Void>?
        while writes.hasMark {
            let write = writes.removeFirst()
            do {
                try engine.encrypt(write.bytes)
            } catch {
                write.promise?.fail(error)
                written?.fail(error)
                fail(context, error)
                return
            }
            guard let promise = write.promise else { continue }
            if let written { written.futureResult.cascade(to: promise) } else { written = promise }
        }
        sendOutput(context, promise: written)
    }

    /// One socket write for everything that OpenSSL has ready.
    private func sendOutput(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard let output = engine.takeOutput(context.channel.allocator) else {
            promise?.succeed()
            return
        }
        context.writeAndFlush(wrapOutboundOut(output), promise: promise)
    }

    // MARK: Closing

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch (mode, state) {
        case (.input, _): break
        case (.output, .active):
            engine.sayClose()
            sendOutput(context, promise: nil)
            state = .outputClosed
            failWrites(ChannelError.outputClosed)
        case (.all, .active):
            engine.sayClose()
            sendOutput(context, promise: nil)
            finish()
        case (.all, _): finish()
        case (.output, _): break
        }
        context.close(mode: mode, promise: promise)
    }

    private func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        state = .closed
        // The alert that tells the peer why.
        sendOutput(context, promise: nil)
        finish(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    private func finish(_ error: any Error = ChannelError.ioOnClosedChannel) {
        state = .closed
        deadline?.cancel()
        deadline = nil
        failWrites(error)
    }

    private func failWrites(_ error: any Error) {
        while let write = writes.popFirst() { write.promise?.fail(error) }
    }
}

extension TLSError {
    fileprivate static let truncated = TLSError(
        .truncated,
        "the peer closed the connection without close_notify, its last data may be missing"
    )
}

@available(*, unavailable)
extension TLSClientHandler: Sendable {}
