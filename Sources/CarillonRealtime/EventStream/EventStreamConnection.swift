package import CarillonDomain
internal import CarillonSocket
internal import Glibc
package import NIOCore

/// One device that listens to server-sent events, from the answer to its request to its end.
///
/// The body ends with the connection, in HTTP/1.1 as in HTTP/1.0: a stream is its connection's last answer anyway, and so what is
/// sent is the same bytes for everybody. There is nothing to be heard from the client; what it sends behind its request is
/// thrown away, and a client that goes on sending is cut off.
/// - Isolation: event loop of the channel
/// - Source: HTML Living Standard §9.2, RFC 9112 §6.3
package final class EventStreamConnection: DeviceConnection, ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// The request, as far as it matters here.
    package struct Request {
        /// What follows `?` in the target, percent-encoded as it came.
        package let query: String
        /// `Last-Event-ID`; an empty one counts as none.
        package let lastEventID: String?
        /// HEAD: the answer has no body.
        package let isHead: Bool
        /// Whole header lines that the answer carries beside its own.
        package let answerLines: String

        package init(query: String, lastEventID: String?, isHead: Bool, answerLines: String) {
            self.query = query
            self.lastEventID = lastEventID
            self.isHead = isHead
            self.answerLines = answerLines
        }
    }

    private var ignoredBytes = 0

    /// How long a browser waits after a connection that broke: random, so that the devices of a lost pod do not all come at once.
    static var retryMilliseconds: Int { Int.random(in: 1_000...3_000) }
    /// What a client may send behind its request.
    static let ignoredLimit = 65_536

    package override init(acceptor: any ConnectionAcceptor, group: ConnectionGroup) {
        super.init(acceptor: acceptor, group: group)
    }

    package override var transport: Transport { .eventStream }

    override func bytes(of frame: inout DeviceFrame) -> ByteBuffer {
        guard frame.hasID, case .open(let session) = stage else { return frame.eventStream(position: nil) }
        return frame.eventStream(position: session.topicPosition)
    }

    package override func sendAway(pauseMilliseconds pause: Int) {
        finish(.goingAway, with: EventStreamFrame.retry(pause))
    }

    package override func demandResync() { finish(.serviceRestart, with: EventStreamFrame.resync) }

    override func closeSlow(_ context: ChannelHandlerContext) {
        guard case .open(let session) = stage else { return }
        leaveOpen(.failing(session), .tryAgainLater)
        cut()
    }

    override func pingDue() {
        guard isOpen else { return }
        outbox.append(EventStreamFrame.heartbeat, isLive: false)
        group.markDirty(self)
    }

    override func secondPassed(since: UInt32) -> Bool {
        switch stage {
        case .open, .closed: return false
        case .failing where Int(group.second &- since) < group.settings.closeTimeout.wholeSeconds: return true
        case .handshake, .closing, .finishing, .failing:
            cut()
            return false
        }
    }
}

extension EventStreamConnection {
    /// Answers the request, once the connection stands in its channel's pipeline.
    package func answer(_ request: Request) {
        guard case .handshake(let acceptor) = stage, let context else { return }
        let lastEventID = request.lastEventID.flatMap { $0.isEmpty ? nil : $0 }
        switch acceptor.accept(query: request.query, lastEventID: lastEventID, connection: self) {
        case .failure(.draining):
            // A browser that is told anything but 200 never comes back.
            answer(200, ByteBuffer(string: Self.head(request, retry: Self.comeBackMilliseconds)), context)
        case .failure(let problem):
            answer(problem.status, Self.refusal(problem, request), context)
        case .success(let session):
            let head = ByteBuffer(string: Self.head(request))
            guard !request.isHead else {
                session.closed()
                return answer(200, head, context)
            }
            stage = .open(session)
            group.add(self)
            limitSilence(context)
            socket = DirectSocket(context.channel)
            write(head, frames: 0)
            // Where the client is gone already, the write has found that out and ended everything.
            if isOpen { session.opened() }
        }
    }

    /// The answer is all there is.
    private func answer(_ status: Int, _ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        group.observer?.answered(transport, status: status)
        stage = .failing(nil)
        group.watch(self)
        context.write(wrapOutboundOut(bytes), promise: nil)
        end(.output, context)
    }

    /// A client that has vanished leaves heartbeats unacknowledged; the kernel then breaks the connection after as long as a
    /// WebSocket has for two pings.
    ///
    /// - Source: tcp(7), `TCP_USER_TIMEOUT`
    private func limitSilence(_ context: ChannelHandlerContext) {
        let milliseconds = 2 * group.settings.pingInterval.nanoseconds / 1_000_000
        let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT))
        try? context.channel.syncOptions?.setOption(option, value: Int(milliseconds))
    }

    /// Says a last word behind everything that was sent, and ends the stream.
    private func finish(_ code: WebSocketCloseCode, with bytes: ByteBuffer) {
        group.eventLoop.assertInEventLoop()
        guard case .open(let session) = stage else { return }
        outbox.append(bytes, isLive: false)
        leaveOpen(.failing(session), code)
        group.markDirty(self)
    }

    /// `X-Accel-Buffering` keeps nginx from collecting what is to be seen at once.
    private static func head(_ request: Request, retry: Int = retryMilliseconds) -> String {
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
            + "x-accel-buffering: no\r\n\(request.answerLines)connection: close\r\n\r\n"
            + (request.isHead ? "" : "retry: \(retry)\n\n")
    }

    private static func refusal(_ problem: Problem, _ request: Request) -> ByteBuffer {
        let body = problem.json
        var text = "HTTP/1.1 \(problem.status) \(problem.title)\r\ncontent-type: application/problem+json\r\n"
        text += "cache-control: no-store\r\ncontent-length: \(body.utf8.count)\r\n"
        if let seconds = problem.retryAfterSeconds { text += "retry-after: \(seconds)\r\n" }
        text += "\(request.answerLines)connection: close\r\n\r\n"
        return ByteBuffer(string: request.isHead ? text : text + body)
    }
}

// MARK: Life of the channel

extension EventStreamConnection {
    package func handlerAdded(context: ChannelHandlerContext) {
        group.eventLoop.assertInEventLoop()
        self.context = context
    }

    package func handlerRemoved(context: ChannelHandlerContext) { finish() }

    package func channelInactive(context: ChannelHandlerContext) { finish() }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        ignoredBytes += unwrapInboundIn(data).readableBytes
        if ignoredBytes > Self.ignoredLimit { cut() }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, !isWriting { flush() }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// The channel may be set up to survive the end of the client's side; a stream does not.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
    }
}
