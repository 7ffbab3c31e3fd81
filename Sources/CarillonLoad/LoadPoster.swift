package import NIOCore

/// What became of a post.
package enum LoadPostResult: Sendable {
    case answered(LoadAnswer)
    /// No answer. Where something was sent, the server may have done its work all the same.
    case failed(LoadError, sent: Bool)
}

/// Posts to `/api/v1/notify` over one keep-alive connection, one request under way; it connects again by itself when it
/// has something to post.
///
/// - Isolation: the event loop
/// - Source: RFC 9112; docs/PROTOCOL.md, "POST /api/v1/notify"
package final class LoadPoster {
    package static let connectTimeout = TimeAmount.seconds(2)
    package static let answerTimeout = TimeAmount.seconds(10)

    private struct Request {
        let body: ByteBuffer
        let key: String?
        let completion: (LoadPostResult) -> Void
        var isSent = false
    }

    private let eventLoop: any EventLoop
    package private(set) var port: Int
    private var connection: PosterConnection?
    private var request: Request?
    private var timeout: Scheduled<Void>?

    package init(eventLoop: any EventLoop, port: Int) {
        self.eventLoop = eventLoop
        self.port = port
    }

    /// Whether another post may be given.
    package var isIdle: Bool { request == nil }

    /// Posts a notify request. The poster must be idle; it is idle again when `completion` is called.
    package func post(
        _ body: ByteBuffer,
        idempotencyKey: String? = nil,
        _ completion: @escaping (LoadPostResult) -> Void
    ) {
        eventLoop.assertInEventLoop()
        precondition(isIdle, "one request at a time")
        request = Request(body: body, key: idempotencyKey, completion: completion)
        let timeAllowed = connection == nil ? Self.connectTimeout + Self.answerTimeout : Self.answerTimeout
        timeout = eventLoop.assumeIsolated().scheduleTask(in: timeAllowed) { [weak self] in
            self?.lose(LoadError("no answer in time"))
        }
        if connection == nil { connect() } else { send() }
    }

    /// Posts to another port from now on; the poster must be idle.
    package func move(to port: Int) {
        precondition(isIdle, "a request is under way")
        guard port != self.port else { return }
        self.port = port
        disconnect()
    }

    /// Ends the connection. A request under way fails.
    package func close() { lose(LoadError("the poster was closed")) }

    private func connect() {
        let connection = PosterConnection(poster: self)
        self.connection = connection
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        LoadConnector.connect(eventLoop, to: .loopback(port: port), timeout: Self.connectTimeout, handler: connection)
            .whenFailure {
                bound.value.ended(LoadError("connect: \($0)"))
            }
    }

    private func send() {
        guard let connection, connection.isActive, let request, !request.isSent else { return }
        self.request?.isSent = true
        var head = "POST /api/v1/notify HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Type: application/json\r\n"
        if let key = request.key { head += "Idempotency-Key: \(key)\r\n" }
        head += "Content-Length: \(request.body.readableBytes)\r\n\r\n"
        var message = ByteBuffer()
        message.reserveCapacity(head.utf8.count + request.body.readableBytes)
        message.writeString(head)
        message.writeImmutableBuffer(request.body)
        connection.write(message)
    }

    private func disconnect() {
        let ended = connection
        connection = nil
        ended?.close()
    }

    private func lose(_ error: LoadError) {
        disconnect()
        finish(.failed(error, sent: request?.isSent ?? false))
    }

    private func finish(_ result: LoadPostResult) {
        guard let request else { return }
        self.request = nil
        timeout?.cancel()
        timeout = nil
        request.completion(result)
    }

    // MARK: - What the connection says

    fileprivate func connected(_ connection: PosterConnection) {
        if connection === self.connection { send() }
    }

    fileprivate func ended(_ connection: PosterConnection, _ error: LoadError) {
        guard connection === self.connection else { return }
        lose(error)
    }

    fileprivate func answered(_ connection: PosterConnection, _ head: HTTPHead, _ body: ByteBuffer) {
        guard connection === self.connection else { return }
        guard request?.isSent == true else { return lose(LoadError("an answer that nobody asked for")) }
        if head.closes { disconnect() }
        finish(
            .answered(
                LoadAnswer(
                    status: head.status,
                    retryAfterSeconds: head.retryAfterSeconds,
                    isReplayed: head.isReplayed,
                    body: body
                )
            )
        )
    }
}

/// One connection of a poster.
private final class PosterConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private weak var poster: LoadPoster?
    private var context: ChannelHandlerContext?
    private var pending = ByteBuffer()
    private var searched = 0
    private var head: HTTPHead?
    private var isClosed = false
    private(set) var isActive = false

    init(poster: LoadPoster) { self.poster = poster }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(_ message: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(message), promise: nil) }

    func close() {
        isClosed = true
        context?.close(promise: nil)
    }

    func ended(_ error: LoadError) { poster?.ended(self, error) }

    func channelActive(context: ChannelHandlerContext) {
        // The poster may have lost interest while the connection was made.
        guard !isClosed else { return context.close(promise: nil) }
        isActive = true
        poster?.connected(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = bytes } else { pending.writeBuffer(&bytes) }
        do throws(LoadError) {
            while !isClosed {
                if head == nil { head = try HTTPHead.read(from: &pending, searched: &searched) }
                guard let head, let body = pending.readSlice(length: head.contentLength ?? 0) else { break }
                self.head = nil
                if pending.readableBytes == 0 { pending = ByteBuffer() }
                poster?.answered(self, head, body)
            }
        } catch {
            ended(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isActive = false
        ended(LoadError("the connection was lost"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { ended(LoadError("\(error)")) }
}

@available(*, unavailable)
extension LoadPoster: Sendable {}

@available(*, unavailable)
extension PosterConnection: Sendable {}
