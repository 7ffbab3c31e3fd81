import CarillonLoad
import NIOCore
import NIOEmbedded
import NIOWebSocket

/// What load drivers and the fault harness read of a server: the answer's head, then frames.
///
/// - The same is made of the bytes whatever pieces they come in.
/// - Frames are those that NIO's decoder cuts.
/// - A message that is looked into may be anything.
enum ServerBytes {
    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        let whole = read([Array(bytes)])
        for way in Pieces.ways(of: bytes) {
            let inPieces = read(way)
            try require(inPieces == whole, "\(whole) whole, \(inPieces) in pieces")
        }
        try compareWithNIO(bytes)
        _ = try? ServerMessage(ByteBuffer(bytes: bytes))
    }

    /// A head, and frames behind it up to the first that is refused.
    private static func read(_ pieces: [[UInt8]]) -> [String] {
        var frames = ServerFrames()
        var seen: [String] = []
        do {
            for piece in pieces {
                frames.append(ByteBuffer(bytes: piece))
                if seen.isEmpty {
                    guard let head = try frames.nextHead() else { continue }
                    seen.append("\(head)")
                }
                while let frame = try frames.nextFrame() {
                    seen.append("\(frame.opcode) \(Array(frame.payload.readableBytesView))")
                }
            }
        } catch {
            seen.append("\(error)")
        }
        return seen
    }

    /// The input as frames without a head.
    private static func compareWithNIO(_ bytes: UnsafeRawBufferPointer) throws {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 20)))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        // NIO refuses more, but not before it has passed on the frames that come first.
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        var frames = ServerFrames()
        frames.append(ByteBuffer(bytes: bytes))
        while let frame = try? frames.nextFrame() {
            guard let other = try channel.readInbound(as: NIOWebSocket.WebSocketFrame.self) else {
                let isLongControl = frame.opcode.rawValue >= 8 && frame.payload.readableBytes > 125
                return try require(isLongControl, "NIO has no frame for \(frame)")
            }
            let isSame = UInt8(webSocketOpcode: other.opcode) == frame.opcode.rawValue && other.data == frame.payload
            try require(isSame && other.fin && other.maskKey == nil, "\(frame), where NIO has \(other)")
        }
    }
}
