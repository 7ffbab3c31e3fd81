internal import NIOCore
internal import NIOHTTP1

/// One answer of the server, whole.
struct HTTPResponse: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: ByteBuffer
    /// Whether the connection takes another request.
    let isKeepAlive: Bool

    /// Answers longer than this are refused: a thousand results are a tenth of it.
    static let largestBody = 4 * 1_048_576

    /// What the server says is wrong (RFC 9457), or the start of whatever it said instead; safe for a terminal.
    var problem: String {
        let bytes = Array(body.readableBytesView)
        let document = try? JSONValue(parsing: bytes)
        let text = document?["detail"]?.string ?? document?["title"]?.string ?? String(decoding: bytes, as: UTF8.self)
        let code = document?["error"]?.string.map { " \($0)" } ?? ""
        return Printable.line("\(status)\(code): \(text.prefix(500))")
    }

    /// How long the server asks to wait (RFC 9110 §10.2.3, the form in seconds), at most two minutes.
    var retryAfter: TimeAmount? {
        guard let value = headers.first(name: "retry-after"), let seconds = UInt32(value) else { return nil }
        return .seconds(Int64(min(seconds, 120)))
    }
}

/// Sends requests on one connection, one at a time, and gathers their answers.
///
/// - Isolation: event loop of the channel
final class HTTPExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart
    typealias Completion = (Result<HTTPResponse, any Error>) -> Void

    /// Time from a request to the end of its answer.
    private static let timeout = TimeAmount.seconds(30)

    private var context: ChannelHandlerContext?
    private var completion: Completion?
    private var deadline: Scheduled<Void>?
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()
    /// The server has said that an answer is the connection's last one.
    private var isOver = false

    /// - Parameter completion: Takes the answer to a request that was sent before this handler came.
    init(awaiting completion: Completion? = nil) { self.completion = completion }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if completion != nil { startTimer(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        complete(.failure(ChannelError.ioOnClosedChannel))
    }

    var isOpen: Bool { !isOver && context?.channel.isActive ?? false }

    func close() { context?.close(promise: nil) }

    func send(_ request: HTTPRequestHead, _ body: ByteBuffer, _ completion: @escaping Completion) {
        precondition(self.completion == nil, "one request at a time")
        guard let context else {
            completion(.failure(ChannelError.ioOnClosedChannel))
            return
        }
        self.completion = completion
        startTimer(context)
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part):
            body.writeBuffer(&part)
            guard body.readableBytes <= HTTPResponse.largestBody else {
                errorCaught(context: context, error: UsageError("the server's answer is too long"))
                return
            }
        case .end:
            guard let head else { return }
            self.head = nil
            let response = HTTPResponse(
                status: Int(head.status.code),
                headers: head.headers,
                body: body,
                isKeepAlive: head.isKeepAlive
            )
            isOver = !head.isKeepAlive
            // Before the close, which may be felt here at once.
            complete(.success(response))
            if isOver { context.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        complete(.failure(error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        complete(.failure(ChannelError.eof))
    }

    private func startTimer(_ context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.timeout) {
            self.errorCaught(context: context, error: UsageError("no answer within \(Self.timeout.seconds)"))
        }
    }

    private func complete(_ result: Result<HTTPResponse, any Error>) {
        deadline?.cancel()
        deadline = nil
        guard let completion else { return }
        self.completion = nil
        completion(result)
    }
}

@available(*, unavailable)
extension HTTPExchangeHandler: Sendable {}
