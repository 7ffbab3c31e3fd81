import CarillonDomain
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// The last handler of a connection that goes the library's way: NIO's HTTP/1 parser and encoder, Hummingbird's router.
///
/// It collects each request's body, gives the request to the runner, and writes what comes back. Requests come one at a
/// time, because NIO's `HTTPServerPipelineHandler` holds the next one until this one's answer has ended. Whatever breaks
/// HTTP itself is answered with raw bytes in front of the encoder, and ends the connection.
///
/// - Isolation: event loop of the server
final class LibraryHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case idle
        case receiving(HTTPRequestHead, ByteBuffer)
        case serving(Serving)
        case upgrading
        /// The last answer is written; what still comes is thrown away, so that the client gets to read the answer.
        case lingering(since: Int)
    }

    private struct Serving {
        let head: HTTPRequestHead
        var closes: Bool
        let gone: AsyncStream<Never>.Continuation
        var hasStarted = false
    }

    var slot = -1
    private let shared: HTTPLoop
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let encoder: HTTPResponseEncoder
    private let pipelining: HTTPServerPipelineHandler
    private var context: ChannelHandlerContext?
    private var phase = Phase.idle
    /// Counts requests, so that an exchange that is over can no longer write.
    private var serial = 0
    /// When the last byte came, or was taken.
    private(set) var activeTick: Int
    /// Bytes of the answer that wait for the client to take those before.
    private(set) var unreadBytes = 0 {
        didSet { shared.unreadBytes += unreadBytes - oldValue }
    }
    private var startedTick: Int?
    private var sawPart = false
    /// What refusals of the request under way say to its origin.
    private var crossOriginLines = ""

    /// Puts the library's handlers behind `front`, which is about to leave.
    ///
    /// - Parameter startedTick: When the first byte of the request came that they begin with.
    static func install(
        on channel: any Channel,
        after front: FrontHandler,
        _ shared: HTTPLoop,
        startedTick: Int?
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = HTTPConfiguration.headLimitBytes
        limits.maxHeaderFieldSize = HTTPConfiguration.headLimitBytes
        limits.maxHeaderFieldCount = HTTPConfiguration.fieldLimit - 1
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
        )
        let encoder = HTTPResponseEncoder()
        let pipelining = HTTPServerPipelineHandler()
        let handler = LibraryHandler(shared, decoder: decoder, encoder: encoder, pipelining: pipelining)
        handler.startedTick = startedTick
        let handlers: [any ChannelHandler] = [encoder, decoder, pipelining, handler]
        try channel.pipeline.syncOperations.addHandlers(handlers, position: .after(front))
    }

    private init(
        _ shared: HTTPLoop,
        decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        encoder: HTTPResponseEncoder,
        pipelining: HTTPServerPipelineHandler
    ) {
        self.shared = shared
        self.decoder = decoder
        self.encoder = encoder
        self.pipelining = pipelining
        activeTick = shared.tick
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        shared.connections.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        shared.connections.remove(self)
        unreadBytes = 0
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .serving(let serving) = phase { serving.gone.finish() }
        phase = .lingering(since: shared.tick)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        activeTick = shared.tick
        sawPart = true
        switch (Self.unwrapInboundIn(data), phase) {
        case (.head(let head), .idle): begin(context, head)
        case (.body(var part), .receiving(let head, var body)):
            guard body.readableBytes + part.readableBytes <= shared.configuration.bodyLimitBytes else {
                return refuse(context, .tooLarge(limit: shared.configuration.bodyLimitBytes))
            }
            // Lets go of the copy in `phase`, else each append would copy the whole body.
            phase = .idle
            body.writeBuffer(&part)
            phase = .receiving(head, body)
        case (.end, .receiving(let head, let body)): dispatch(context, head, body)
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Bytes came, but no part of a message: the beginning of a head.
        if case .idle = phase, !sawPart, startedTick == nil { startedTick = shared.tick }
        sawPart = false
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (error, phase) {
        case (_, .lingering): break
        // The parser has read on behind a request that was the connection's last.
        case (is HTTPParserError, .upgrading): break
        // What follows bytes that could not be parsed; those are refused when the request under way is answered.
        case (is ByteToMessageDecoderError, .serving): break
        case (HTTPParserError.headerOverflow, _): refuse(context, .headTooLarge)
        case (let error as HTTPParserError, _): refuse(context, .badRequest("this is not HTTP/1.1: \(error)"))
        default: context.close(promise: nil)
        }
    }

    // MARK: - Receiving

    private func begin(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        if startedTick == nil { startedTick = shared.tick }
        if let policy = shared.crossOrigin { crossOriginLines = policy.lines(for: head.headers.first(name: "origin")) }
        if let problem = RequestRules.problem(with: head) { return refuse(context, problem) }
        if let length = RequestRules.contentLength(head), length > shared.configuration.bodyLimitBytes {
            return refuse(context, .tooLarge(limit: shared.configuration.bodyLimitBytes))
        }
        phase = .receiving(head, ByteBuffer())
        if RequestRules.expectsContinue(head) {
            let informational = HTTPResponseHead(version: head.version, status: .continue)
            context.writeAndFlush(Self.wrapOutboundOut(.head(informational)), promise: nil)
        }
    }

    private func dispatch(_ context: ChannelHandlerContext, _ head: HTTPRequestHead, _ body: ByteBuffer) {
        startedTick = nil
        if RequestRules.isWebSocketUpgrade(head) {
            let upgrades = shared.upgrades
            return handOver(context, UpgradeHandoff(after: RequestRules.rawHead(head), upgrades.takeOver))
        }
        if RequestRules.isStream(head) { return openStream(context, head) }
        guard let request = try? HTTPRequest(head, secure: false, splitCookie: false) else {
            return refuse(context, .badRequest("this is not a request method"))
        }
        serial += 1
        let (goneSignal, gone) = AsyncStream.makeStream(of: Never.self)
        // The parser stops for good behind a request that asks for another protocol.
        let closes = !head.isKeepAlive || RequestRules.endsParsing(head)
        phase = .serving(Serving(head: head, closes: closes, gone: gone))
        let exchange = Exchange(
            request: request,
            body: body,
            channel: context.channel,
            handler: NIOLoopBound(self, eventLoop: shared.eventLoop),
            serial: serial,
            gone: goneSignal
        )
        if !shared.requests.submit(exchange) { refuse(context, .shuttingDown) }
    }

    private func openStream(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        let request = StreamRequest(
            query: head.uri.firstIndex(of: "?").map { String(head.uri[$0...].dropFirst()) } ?? "",
            lastEventID: head.headers.first(name: "last-event-id"),
            isHead: head.method == .HEAD,
            answerLines: "date: \(shared.answers.date)\r\n" + crossOriginLines
        )
        let upgrades = shared.upgrades
        handOver(context, UpgradeHandoff(after: nil) { channel, _ in upgrades.openStream(on: channel, request) })
    }

    /// Leaves the connection to the upgrade target, once the parser has given back what it holds.
    private func handOver(_ context: ChannelHandlerContext, _ handoff: UpgradeHandoff) {
        phase = .upgrading
        let operations = context.pipeline.syncOperations
        do {
            try operations.addHandler(handoff, position: .after(decoder))
        } catch {
            return context.close(promise: nil)
        }
        operations.removeHandler(pipelining, promise: nil)
        operations.removeHandler(encoder, promise: nil)
        operations.removeHandler(context: context, promise: nil)
        handoff.awaitRemoval(of: decoder, from: operations)
    }

    // MARK: - Answering

    /// Writes a part of the answer to request `serial`.
    ///
    /// - Returns: When the socket has taken it.
    func write(_ part: Exchange.Part, serial: Int) -> EventLoopFuture<Void> {
        guard case .serving(var serving) = phase, serial == self.serial, let context else {
            return shared.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        if let head = part.head {
            serving.hasStarted = true
            serving.closes = serving.closes || shared.isDraining
            let answer = responseHead(head, to: serving.head, closes: &serving.closes)
            phase = .serving(serving)
            context.write(Self.wrapOutboundOut(.head(answer)), promise: nil)
        }
        unreadBytes = part.remaining
        shared.makeRoom(for: self)
        let promise = context.eventLoop.makePromise(of: Void.self)
        if part.isLast {
            if let body = part.body { context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
            serving.gone.finish()
            // Before the end is written, because that makes the next request arrive at once.
            phase = serving.closes ? .lingering(since: shared.tick) : .idle
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: promise)
            if serving.closes { closeOutput(context, after: promise.futureResult) }
        } else {
            context.writeAndFlush(
                Self.wrapOutboundOut(.body(.byteBuffer(part.body ?? ByteBuffer()))),
                promise: promise
            )
        }
        let bound = NIOLoopBound(self, eventLoop: shared.eventLoop)
        return promise.futureResult.map { bound.value.activeTick = bound.value.shared.tick }
    }

    /// Cuts the connection because the answer to request `serial` cannot be completed.
    func abandon(serial: Int) {
        guard case .serving(let serving) = phase, serial == self.serial, let context else { return }
        if serving.hasStarted {
            context.close(promise: nil)
        } else {
            refuse(context, .internalError)
        }
    }

    private func responseHead(
        _ response: HTTPResponse,
        to request: HTTPRequestHead,
        closes: inout Bool
    ) -> HTTPResponseHead {
        var head = HTTPResponseHead(response)
        head.version = request.version
        head.headers.replaceOrAdd(name: "date", value: shared.answers.date)
        let isOld = !request.version.hasChunks
        // Without chunks, the body's end is the connection's end.
        if isOld, !head.headers.contains(name: "content-length") { closes = true }
        if closes {
            head.headers.add(name: "connection", value: "close")
        } else if isOld {
            head.headers.add(name: "connection", value: "keep-alive")
        }
        return head
    }

    /// Answers a request that breaks HTTP, or a bound, and ends the connection.
    private func refuse(_ context: ChannelHandlerContext, _ problem: Problem) {
        finish(context, with: shared.answers.encode(problem, closes: true, lines: crossOriginLines))
    }

    /// Writes the connection's last bytes, past the encoder.
    private func finish(_ context: ChannelHandlerContext, with bytes: ByteBuffer) {
        if case .serving(let serving) = phase { serving.gone.finish() }
        phase = .lingering(since: shared.tick)
        guard let raw = try? context.pipeline.syncOperations.context(handler: encoder) else {
            return context.close(promise: nil)
        }
        closeOutput(context, after: raw.writeAndFlush(NIOAny(bytes)))
    }

    /// Ends our half of the connection only, because closing with unread input makes the kernel throw the answer away.
    private func closeOutput(_ context: ChannelHandlerContext, after written: EventLoopFuture<Void>) {
        let channel = context.channel
        written.whenComplete { _ in channel.close(mode: .output, promise: nil) }
    }
}

extension LibraryHandler: TimedConnection {
    func ticked(_ tick: Int) {
        guard let context else { return }
        if case .lingering(let since) = phase {
            if tick - since >= HTTPConfiguration.lingerSeconds { context.close(promise: nil) }
        } else if let startedTick, tick - startedTick >= shared.configuration.requestSeconds {
            refuse(context, .requestTimeout)
        } else if tick - activeTick >= shared.configuration.idleSeconds {
            if case .serving(let serving) = phase, !serving.hasStarted { return }
            context.close(promise: nil)
        }
    }

    func drain() {
        // Behind answers which the socket has not taken yet.
        if let context, case .idle = phase, startedTick == nil { finish(context, with: ByteBuffer()) }
    }

    func abort() {
        unreadBytes = 0
        context?.close(promise: nil)
    }
}

@available(*, unavailable)
extension LibraryHandler: Sendable {}
