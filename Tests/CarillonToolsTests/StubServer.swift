import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// A server that plays a part: answers `POST`s and drives WebSockets as a test says, and remembers what came.
final class StubServer: Sendable {
    struct Request: Sendable {
        let uri: String
        let headers: HTTPHeaders
        let body: String
        /// Counts the server's connections from 0.
        let connection: Int

        func fields(_ name: String) -> [String] { headers[name] }
    }

    enum Answer: Sendable {
        case status(Int, String = "{}", headers: [(String, String)] = [])
        /// The connection ends without an answer.
        case hangUp
    }

    enum Move: Sendable {
        case text(String)
        case ping(String)
        case close(UInt16, String)
        case hangUp
    }

    struct Script: Sendable {
        /// Called with the number of the request, from 0, and the request.
        var answer: @Sendable (Int, Request) -> Answer = { _, _ in .status(202, #"{"results":[]}"#) }
        /// Called with the number of the WebSocket, from 0; nil refuses it with `answer`.
        var opened: @Sendable (Int, Request) -> [Move]? = { _, _ in [] }
        /// Called with the number of the WebSocket and a text of the client.
        var heard: @Sendable (Int, String) -> [Move] = { _, _ in [] }
    }

    struct State: Sendable {
        var requests: [Request] = []
        var webSockets: [Request] = []
        var texts: [String] = []
        var pongs: [String] = []
        var closeCodes: [UInt16] = []
        var connections = 0
    }

    let port: Int
    private let channel: any Channel
    private let state: Locked<State>

    var seen: State { state.with { $0 } }

    static func with<Answer>(_ script: Script, _ body: (StubServer) async throws -> Answer) async throws -> Answer {
        let server = try await StubServer(script)
        let result: Result<Answer, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        try await server.channel.close()
        return try result.get()
    }

    private init(_ script: Script) async throws {
        let state = Locked(State())
        self.state = state
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                let connection = state.with {
                    $0.connections += 1
                    return $0.connections - 1
                }
                return Self.configure(channel, connection, script, state)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    private static func configure(
        _ channel: any Channel,
        _ connection: Int,
        _ script: Script,
        _ state: Locked<State>
    ) -> EventLoopFuture<Void> {
        let moves = Locked<(Int, [Move])>((0, []))
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, head in
                let request = Request(uri: head.uri, headers: head.headers, body: "", connection: connection)
                let number = state.with {
                    $0.webSockets.append(request)
                    return $0.webSockets.count - 1
                }
                let accepted = script.opened(number, request)
                moves.with { $0 = (number, accepted ?? []) }
                return channel.eventLoop.makeSucceededFuture(accepted == nil ? nil : HTTPHeaders())
            },
            upgradePipelineHandler: { channel, _ in
                let (number, opening) = moves.with { $0 }
                return channel.eventLoop.makeCompletedFuture {
                    let handler = SocketHandler(number, opening, script, state)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        )
        return channel.eventLoop.makeCompletedFuture {
            let handler = RequestHandler(connection, script, state)
            let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                withServerUpgrade: (
                    upgraders: [upgrader],
                    completionHandler: { context in
                        context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
                    }
                )
            )
            try channel.pipeline.syncOperations.addHandler(handler)
        }
    }

    private final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let connection: Int
        private let script: Script
        private let state: Locked<State>
        private var head: HTTPRequestHead?
        private var body = ByteBuffer()

        init(_ connection: Int, _ script: Script, _ state: Locked<State>) {
            self.connection = connection
            self.script = script
            self.state = state
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body.clear()
            case .body(var part): body.writeBuffer(&part)
            case .end:
                guard let head else { return }
                let request = Request(
                    uri: head.uri,
                    headers: head.headers,
                    body: String(buffer: body),
                    connection: connection
                )
                let number = state.with {
                    $0.requests.append(request)
                    return $0.requests.count - 1
                }
                answer(context, script.answer(number, request))
            }
        }

        private func answer(_ context: ChannelHandlerContext, _ answer: Answer) {
            guard case .status(let status, let text, let fields) = answer else {
                context.close(promise: nil)
                return
            }
            var headers = HTTPHeaders(fields)
            headers.add(name: "Content-Length", value: String(text.utf8.count))
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    private final class SocketHandler: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame
        typealias OutboundOut = WebSocketFrame

        private let number: Int
        private let opening: [Move]
        private let script: Script
        private let state: Locked<State>

        init(_ number: Int, _ opening: [Move], _ script: Script, _ state: Locked<State>) {
            self.number = number
            self.opening = opening
            self.script = script
            self.state = state
        }

        func handlerAdded(context: ChannelHandlerContext) { play(opening, context) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            var data = frame.unmaskedData
            switch frame.opcode {
            case .text:
                let text = String(buffer: data)
                state.with { $0.texts.append(text) }
                play(script.heard(number, text), context)
            case .pong: state.with { $0.pongs.append(String(buffer: data)) }
            case .connectionClose:
                let code = data.readInteger(as: UInt16.self)
                if let code { state.with { $0.closeCodes.append(code) } }
                write(.connectionClose, frame.unmaskedData, context)
                context.close(promise: nil)
            default: break
            }
        }

        private func play(_ moves: [Move], _ context: ChannelHandlerContext) {
            for move in moves {
                switch move {
                case .text(let text): write(.text, ByteBuffer(string: text), context)
                case .ping(let text): write(.ping, ByteBuffer(string: text), context)
                case .close(let code, let reason):
                    var data = ByteBuffer()
                    data.writeInteger(code)
                    data.writeString(reason)
                    write(.connectionClose, data, context)
                case .hangUp: context.close(promise: nil)
                }
            }
        }

        private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer, _ context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data)), promise: nil)
        }
    }
}
