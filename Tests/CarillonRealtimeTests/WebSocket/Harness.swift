import CarillonDomain
import CarillonRealtime
import NIOCore
import NIOEmbedded

/// A socket without a network: the channel, the loop whose clock the test moves, and what the session heard.
final class Harness {
    let loop: EmbeddedEventLoop
    let channel: EmbeddedChannel
    let wire = Wire()
    let observer = RecordingObserver()
    let group: ConnectionGroup
    let acceptor = RecordingAcceptor()
    let connection: WebSocketConnection

    var session: RecordingSession { acceptor.session }

    init(_ settings: ConnectionSettings = ConnectionSettings(), loop: EmbeddedEventLoop = EmbeddedEventLoop()) throws {
        self.loop = loop
        group = ConnectionGroup(eventLoop: loop, settings: settings, observer: observer)
        channel = EmbeddedChannel(loop: loop)
        connection = WebSocketConnection(acceptor: acceptor, group: group)
        wire.channel = channel
        acceptor.session.connection = connection
        try channel.pipeline.syncOperations.addHandlers([wire, connection])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// A socket whose upgrade is over and whose answer was taken off the wire.
    static func open(
        _ settings: ConnectionSettings = ConnectionSettings(),
        loop: EmbeddedEventLoop = EmbeddedEventLoop()
    ) throws -> Harness {
        let harness = try Harness(settings, loop: loop)
        try harness.receive(Array(Upgrade.request.utf8))
        _ = try harness.sent()
        harness.wire.writes = 0
        harness.observer.wrote = []
        return harness
    }

    func receive(_ bytes: [UInt8]) throws {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        // What a socket does by itself after each read.
        channel.read()
        loop.run()
    }

    func receive(_ bytes: [UInt8], inPiecesOf size: Int) throws {
        for start in stride(from: 0, to: bytes.count, by: size) {
            try receive(Array(bytes[start..<min(start + size, bytes.count)]))
        }
    }

    /// All bytes that were written since the last call.
    func sent() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        return bytes
    }

    func sentFrames() throws -> [ServerFrame] { ServerFrame.all(try sent()) }

    func advance(seconds: Int64) {
        loop.advanceTime(by: .seconds(seconds))
    }
}

/// Stands where the socket would be: counts writes, can refuse to take bytes, and keeps half-closes from closing the
/// whole channel.
final class Wire: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    weak var channel: EmbeddedChannel?
    var writes = 0
    var reads = 0
    var isOutputClosed = false
    /// Whether the peer takes nothing.
    private(set) var isStalled = false
    private var heldBytes = 0
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func stall() { isStalled = true }

    /// Takes all that was held.
    func take() {
        isStalled = false
        heldBytes = 0
        context?.flush()
        guard let channel, !channel.isWritable else { return }
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data).readableBytes
        if bytes > 0 { writes += 1 }
        context.write(data, promise: promise)
        guard isStalled else { return }
        heldBytes += bytes
        guard let channel, heldBytes > 65_536, channel.isWritable else { return }
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
    }

    func flush(context: ChannelHandlerContext) {
        if !isStalled { context.flush() }
    }

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        isOutputClosed = true
        promise?.succeed(())
    }
}

final class RecordingAcceptor: ConnectionAcceptor {
    let session = RecordingSession()
    var problem: Problem?
    var queries: [String] = []
    var lastEventIDs: [String?] = []
    var onAccept: ((DeviceConnection) -> Void)?

    func accept(
        query: String,
        lastEventID: String?,
        connection: DeviceConnection
    ) -> Result<any ConnectionSession, Problem> {
        queries.append(query)
        lastEventIDs.append(lastEventID)
        onAccept?(connection)
        return problem.map { .failure($0) } ?? .success(session)
    }
}

final class RecordingSession: ConnectionSession {
    weak var connection: DeviceConnection?
    var openedCount = 0
    var closedCount = 0
    var drainedCount = 0
    var messages: [String] = []
    var onOpened: (() -> Void)?
    var onMessage: (() -> Void)?
    var onDrained: (() -> Void)?

    func opened() {
        openedCount += 1
        onOpened?()
    }

    func received(_ message: ByteBuffer) {
        messages.append(String(buffer: message))
        onMessage?()
    }

    func drained() {
        drainedCount += 1
        onDrained?()
    }

    func closed() { closedCount += 1 }
}

final class RecordingObserver: ConnectionObserver {
    struct Write: Equatable {
        var frames: Int
        var bytes: Int
    }

    var opened = 0
    var closed: [WebSocketCloseCode?] = []
    var refused: [Int] = []
    var wrote: [Write] = []
    var throttles = 0
    var timeouts = 0

    func opened(_ transport: Transport) { opened += 1 }
    func closed(_ code: WebSocketCloseCode?) { closed.append(code) }
    func answered(_ transport: Transport, status: Int) { refused.append(status) }
    func wrote(frames: Int, bytes: Int) { wrote.append(Write(frames: frames, bytes: bytes)) }
    func throttled() { throttles += 1 }
    func timedOut() { timeouts += 1 }
}

enum Upgrade {
    static let request = request()

    /// The request of RFC 6455 §1.3, with some fields exchanged.
    static func request(
        target: String = "/ws?user_id=1&login=alice",
        replacing changes: [String: [String]] = [:]
    )
        -> String
    {
        let fields = [
            ("Host", "hub.example"), ("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"),
            ("Origin", "http://hub.example"),
        ]
        var text = "GET \(target) HTTP/1.1\r\n"
        for (name, value) in fields {
            for value in changes[name] ?? [value] { text += "\(name): \(value)\r\n" }
        }
        return text + "\r\n"
    }

    static let response =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
}

/// Frames as a client writes them, and as it should not.
enum ClientFrame {
    static func text(_ text: String, final: Bool = true) -> [UInt8] {
        frame(final ? 0x81 : 0x01, Array(text.utf8))
    }

    static func continuation(_ text: String, final: Bool) -> [UInt8] {
        frame(final ? 0x80 : 0x00, Array(text.utf8))
    }

    static func close(_ code: UInt16?, _ reason: String = "") -> [UInt8] {
        frame(0x88, (code.map { [UInt8($0 >> 8), UInt8($0 & 0xff)] } ?? []) + Array(reason.utf8))
    }

    static func ping(_ payload: String = "") -> [UInt8] { frame(0x89, Array(payload.utf8)) }

    static func frame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]) -> [UInt8] {
        header(first, length: payload.count) + mask
            + payload.enumerated().map { index, byte in byte ^ mask[index % 4] }
    }

    /// A header without its masking key, in the shortest form.
    static func header(_ first: UInt8, length: Int) -> [UInt8] {
        switch length {
        case 0...125: [first, 0x80 | UInt8(length)]
        case 126...0xffff: [first, 0xfe, UInt8(length >> 8), UInt8(length & 0xff)]
        default: [first, 0xff] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
        }
    }
}

/// A frame as the server wrote it.
struct ServerFrame: Equatable {
    var first: UInt8
    var payload: [UInt8]

    var text: String { String(decoding: payload, as: UTF8.self) }

    var closeCode: Int? {
        first == 0x88 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil
    }

    static func all(_ bytes: [UInt8]) -> [ServerFrame] {
        var frames: [ServerFrame] = []
        var index = 0
        while index < bytes.count {
            var size = 2
            var length = Int(bytes[index + 1])
            if length >= 126 {
                let wide = length == 126 ? 2 : 8
                length = bytes[(index + 2)..<(index + 2 + wide)].reduce(0) { $0 << 8 | Int($1) }
                size += wide
            }
            let start = index + size
            frames.append(ServerFrame(first: bytes[index], payload: Array(bytes[start..<start + length])))
            index = start + length
        }
        return frames
    }
}

extension ByteBuffer {
    /// A text frame as the server sends it.
    static func text(_ text: String) -> ByteBuffer { WebSocketFrame.text { $0.writeString(text) } }

    /// A text frame of so many bytes, header included.
    static func frame(bytes: Int) -> ByteBuffer {
        let header = bytes <= 127 ? 2 : bytes <= 65_539 ? 4 : 10
        return WebSocketFrame.text { $0.writeRepeatingByte(0x78, count: bytes - header) }
    }
}
