package import CarillonDomain
package import NIOCore

/// One WebSocket connection of a user's device, light enough for ten thousand of them in one process: one handler on the
/// event loop, no task, no timer once it is open.
///
/// It answers pings and closes by itself and tells everything else to its observer. It connects once; who wants to come
/// back makes another one.
/// - Isolation: the event loop
/// - Cost: no allocation for a push but the channel's own
/// - Source: RFC 6455; docs/PROTOCOL.md, "WebSocket"
package final class LoadDevice: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// What the device has already.
    package struct Resume: Sendable {
        package private(set) var since: StreamPosition
        package let epoch: String

        package init(since: StreamID, topics: [Topic: StreamID] = [:], epoch: String) {
            self.since = StreamPosition(own: since, topics: topics)
            self.epoch = epoch
        }

        /// The device was given the entry.
        package mutating func advance(to place: EntryPlace) {
            if let topic = place.topic {
                since.topics[topic] = max(since.topics[topic] ?? .zero, place.streamID)
            } else {
                since.own = max(since.own ?? .zero, place.streamID)
            }
        }
    }

    private enum Phase {
        case connecting
        case upgrading
        case open
        /// The device said close and waits for the server's.
        case closing
        case closed
    }

    /// Time for the TCP connection, and again for the answer to the handshake.
    package static let openTimeout = TimeAmount.seconds(2)
    private static let closeTimeout = TimeAmount.seconds(2)

    package let eventLoop: any EventLoop
    package let port: Int
    private let target: String
    private weak var observer: (any LoadDeviceObserver)?
    private var phase = Phase.connecting
    private var context: ChannelHandlerContext?
    private var timeout: Scheduled<Void>?
    /// How the connection ends, once that is decided.
    private var outcome: LoadClose?
    private var frames = ServerFrames()

    package init(
        eventLoop: any EventLoop,
        port: Int,
        userID: Int,
        login: String,
        resume: Resume? = nil,
        observer: any LoadDeviceObserver
    ) {
        self.eventLoop = eventLoop
        self.port = port
        let resume = resume.map { "&since=\($0.since.text)&epoch=\($0.epoch)" } ?? ""
        target = "/ws?user_id=\(userID)&login=\(login)\(resume)"
        self.observer = observer
    }

    // MARK: - What the device does

    /// Connects to 127.0.0.1. The observer hears `opened` or `closed`.
    package func connect() {
        eventLoop.assertInEventLoop()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        LoadConnector.connect(eventLoop, to: .loopback(port: port), timeout: Self.openTimeout, handler: self)
            .whenFailure {
                bound.value.finish(bound.value.outcome ?? .lost(LoadError("connect: \($0)")))
            }
    }

    /// Says that the user read these, at most 100 of them.
    package func read(_ entries: [LoadEntry]) {
        guard case .open = phase, !entries.isEmpty else { return }
        let pairs = entries.map { "{\"notification_id\":\"\($0.id)\",\"stream_id\":\"\($0.place.text)\"}" }
        let data = pairs.count == 1 ? pairs[0] : "[\(pairs.joined(separator: ","))]"
        write(.text, ByteBuffer(string: "{\"type\":\"notification.read\",\"data\":\(data)}"))
    }

    /// Subscribes the user to channels, or ends that. The observer hears `subscribed`.
    package func changeSubscriptions(_ channels: Set<Topic>, isSubscribing: Bool) {
        guard case .open = phase, !channels.isEmpty else { return }
        let names = channels.map { JSON.quoted($0.name) }.joined(separator: ",")
        let type = isSubscribing ? "subscribe" : "unsubscribe"
        write(.text, ByteBuffer(string: "{\"type\":\"\(type)\",\"data\":{\"channels\":[\(names)]}}"))
    }

    /// Closes with a handshake; gives the server two seconds to answer.
    package func close(code: UInt16 = 1000) {
        guard case .open = phase else { return drop() }
        phase = .closing
        write(.close, ByteBuffer(integer: code))
        schedule(in: Self.closeTimeout) { $0.end(.lost(LoadError("no answer to close"))) }
    }

    /// Goes away without a word.
    package func drop() {
        guard phase != .closed else { return }
        end(.dropped)
    }

    /// Takes nothing more from the socket, as a device does that is asleep.
    package func stopReading() { setReading(false) }

    package func resumeReading() { setReading(true) }

    /// Sends pings, as many as the socket takes at once; nobody needs that many.
    package func flood(_ pings: Int) {
        guard case .open = phase, let context else { return }
        for _ in 0..<pings where context.channel.isWritable { write(.ping, ByteBuffer()) }
    }

    private func setReading(_ reads: Bool) {
        guard let context else { return }
        context.channel.setOption(.autoRead, value: reads).whenFailure { _ in }
    }

    // MARK: - What the channel says

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    package func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    package func channelActive(context: ChannelHandlerContext) {
        guard case .connecting = phase else { return context.close(promise: nil) }
        phase = .upgrading
        schedule(in: Self.openTimeout) { $0.end(.lost(LoadError("no answer to the handshake"))) }
        let request = Handshake.request(target: target, port: port)
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard outcome == nil else { return }
        frames.append(unwrapInboundIn(data))
        do throws(LoadError) {
            if case .upgrading = phase {
                guard let answer = try frames.nextHead() else { return }
                guard answer.isAccepted else {
                    let refusal = LoadClose.refused(status: answer.status, retryAfterSeconds: answer.retryAfterSeconds)
                    return end(refusal)
                }
                phase = .open
                timeout?.cancel()
                timeout = nil
                observer?.opened(self)
            }
            while outcome == nil, let frame = try frames.nextFrame() { try received(frame) }
        } catch {
            end(.violated(error))
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish(outcome ?? .lost(LoadError("the connection was lost")))
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.lost(LoadError("\(error)")))
    }

    // MARK: - Frames

    private func received(_ frame: ServerFrames.Frame) throws(LoadError) {
        switch frame.opcode {
        case .text: try received(text: frame.payload)
        case .binary: throw LoadError("a binary frame")
        case .ping: write(.pong, frame.payload)
        case .pong: break
        case .close:
            var payload = frame.payload
            let code = payload.readInteger(as: UInt16.self)
            // The answer goes out before the channel closes.
            if phase == .open { write(.close, code.map { ByteBuffer(integer: $0) } ?? ByteBuffer()) }
            end(.closed(code: code ?? 1005, reason: String(buffer: payload)))
        }
    }

    private func received(text: ByteBuffer) throws(LoadError) {
        switch try ServerMessage(text) {
        case .push(let push): observer?.pushed(self, push)
        case .readAck(let entry): observer?.readAcknowledged(self, entry)
        case .autoCleared(let entry): observer?.autoCleared(self, entry)
        case .ready(let ready): observer?.ready(self, ready)
        case .subscribed(let channels): observer?.subscribed(self, channels)
        case .error(let error): observer?.failed(self, error)
        case .other: break
        }
    }

    private func write(_ opcode: ServerFrames.Opcode, _ payload: ByteBuffer) {
        guard let context else { return }
        let frame = ServerFrames.encodeMasked(opcode, payload, mask: .random(in: .min ... .max))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    // MARK: - The end

    private func schedule(in delay: TimeAmount, _ body: @escaping (LoadDevice) -> Void) {
        timeout?.cancel()
        timeout = eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            if let self { body(self) }
        }
    }

    private func end(_ close: LoadClose) {
        guard outcome == nil, phase != .closed else { return }
        outcome = close
        if let context {
            context.close(promise: nil)
        } else if case .connecting = phase {
            // The attempt goes on alone and is closed when it succeeds.
            finish(close)
        }
    }

    private func finish(_ close: LoadClose) {
        guard phase != .closed else { return }
        phase = .closed
        timeout?.cancel()
        timeout = nil
        observer?.closed(self, close)
    }
}

@available(*, unavailable)
extension LoadDevice: Sendable {}
