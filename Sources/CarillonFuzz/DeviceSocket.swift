import CarillonDomain
import CarillonLoad
import CarillonRealtime
import NIOCore
import NIOEmbedded

/// A device's connection without a network, and what was seen of it.
struct DeviceSocket {
    /// What followed `?` in the request, where it was accepted.
    private(set) var query: String?
    private(set) var heard: [[UInt8]] = []
    private(set) var sent: [UInt8] = []

    private static let request = Array(
        String(buffer: Handshake.request(target: "/ws?user_id=1&login=alice", port: 1)).utf8
    )

    /// The same with the handshake before the bytes.
    static func open(receiving pieces: [[UInt8]]) throws -> DeviceSocket {
        // In the piece of the first frames, or in one of its own.
        let isOwn = pieces.count % 2 == 0
        let first = isOwn ? [request] : [request + (pieces.first ?? [])]
        return try DeviceSocket(receiving: first + pieces.dropFirst(isOwn ? 0 : 1))
    }

    /// What becomes of a connection that gets these bytes and is then cut.
    init(receiving pieces: [[UInt8]]) throws {
        var settings = ConnectionSettings()
        settings.maxMessageBytes = WebSocketFrames.messageLimit
        settings.maxHeadBytes = WebSocketHandshake.headLimit
        // Rates are none of a parser's business.
        settings.messageBurst = 1_000_000
        let loop = EmbeddedEventLoop()
        let group = ConnectionGroup(eventLoop: loop, settings: settings)
        let device = RecordingDevice()
        let channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandlers([
            HalfClosing(), WebSocketConnection(acceptor: device, group: group),
        ])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        for piece in pieces where channel.isActive {
            try channel.writeInbound(ByteBuffer(bytes: piece))
            loop.run()
        }
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { sent += buffer.readableBytesView }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        group.stop()
        try require(device.closings == device.openings, "\(device.openings) opened, \(device.closings) closed")
        query = device.query
        heard = device.heard
    }
}

/// What must be seen of an open socket, by what the decoder found.
struct DeviceTranscript {
    private var heard: [[UInt8]] = []
    private var pongs: [[UInt8]] = []
    /// What our close frame holds; nil where there is none.
    private var lastWord: [UInt8]?
    private var isClosedByPeer = false

    init(_ events: [WebSocketEvent]) {
        for event in events {
            switch event {
            case .fragment, .pong: continue
            case .text(let text): heard.append(text)
            case .ping(let payload): pongs.append(payload)
            case .close(let code):
                isClosedByPeer = true
                lastWord = code.map(Self.bytes) ?? []
            case .violation(let code): lastWord = Self.bytes(code)
            }
            if lastWord != nil { return }
        }
    }

    func compare(_ socket: DeviceSocket) throws {
        try require(socket.heard == heard, "the device heard \(socket.heard.map(shown)), not \(heard.map(shown))")
        var frames = ServerFrames()
        frames.append(ByteBuffer(bytes: socket.sent))
        guard let head = try frames.nextHead(), head.isAccepted else {
            throw Finding("no proper answer to the handshake")
        }
        var sentPongs: [[UInt8]] = []
        var sentClose: [UInt8]?
        while let frame = try frames.nextFrame() {
            try require(sentClose == nil, "a frame behind the close")
            switch frame.opcode {
            case .pong: sentPongs.append(Array(frame.payload.readableBytesView))
            case .close: sentClose = Array(frame.payload.readableBytesView)
            default: throw Finding("a frame of opcode \(frame.opcode)")
            }
        }
        // Pongs that wait when the peer says close are dropped, and how many wait depends on the pieces.
        if isClosedByPeer {
            try require(pongs.starts(with: sentPongs), "pongs \(sentPongs) for pings \(pongs)")
        } else {
            try require(sentPongs == pongs, "pongs \(sentPongs) for pings \(pongs)")
        }
        try require(
            sentClose.map { Array($0.prefix(2)) } == lastWord,
            "close \(sentClose ?? []), not \(lastWord ?? [])"
        )
    }

    private static func bytes(_ code: UInt16) -> [UInt8] { [UInt8(code >> 8), UInt8(code & 0xff)] }
}

/// Accepts everybody and writes down what it hears.
private final class RecordingDevice: ConnectionAcceptor, ConnectionSession {
    var query: String?
    var heard: [[UInt8]] = []
    var openings = 0
    var closings = 0
    let topicPosition: String? = nil

    func accept(
        query: String,
        lastEventID: String?,
        connection: DeviceConnection
    ) -> Result<any ConnectionSession, Problem> {
        self.query = query
        openings += 1
        return .success(self)
    }

    func opened() {}
    func received(_ message: ByteBuffer) { heard.append(Array(message.readableBytesView)) }
    func drained() {}
    func closed() { closings += 1 }
}

/// Takes the end of our side as a socket does: the other side may go on.
private final class HalfClosing: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        promise?.succeed(())
    }
}
