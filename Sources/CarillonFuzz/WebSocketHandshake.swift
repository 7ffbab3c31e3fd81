import NIOCore
import NIOEmbedded
import NIOHTTP1

/// The request that opens a WebSocket, which has a parser of its own.
///
/// - The same is made of it whatever pieces it comes in.
/// - What is accepted, NIO's parser reads as the same request with the same end and nothing in it that could mean a body.
enum WebSocketHandshake {
    /// Small enough that an input can pass it.
    static let headLimit = 512

    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        let whole = try Outcome(receiving: [Array(bytes)])
        for way in Pieces.ways(of: bytes) {
            let inPieces = try Outcome(receiving: way)
            try require(inPieces == whole, "\(whole) whole, \(inPieces) in pieces")
        }
        if let query = whole.query { try compareWithNIO(bytes, query) }
    }

    private struct Outcome: Equatable {
        let query: String?
        let heard: [[UInt8]]
        /// The answer's head; what follows it may depend on the pieces.
        let answer: [UInt8]

        init(receiving pieces: [[UInt8]]) throws {
            let socket = try DeviceSocket(receiving: pieces)
            query = socket.query
            heard = socket.heard
            answer = WebSocketHandshake.head(of: socket.sent) ?? socket.sent
            try require((query != nil) == answer.starts(with: "HTTP/1.1 101 ".utf8), "an answer of \(shown(answer))")
        }
    }

    /// Up to and with the first empty line.
    private static func head(of bytes: [UInt8]) -> [UInt8]? {
        let end = Array("\r\n\r\n".utf8)
        return bytes.indices.first { bytes[$0...].starts(with: end) }.map { Array(bytes[..<($0 + end.count)]) }
    }

    private static func compareWithNIO(_ bytes: UnsafeRawBufferPointer, _ query: String) throws {
        guard let bytes = head(of: Array(bytes)) else { throw Finding("accepted without an empty line") }
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        try channel.writeInbound(ByteBuffer(bytes: bytes.dropLast()))
        try require(try channel.readInbound(as: HTTPServerRequestPart.self) == nil, "NIO sees an earlier end")
        try channel.writeInbound(ByteBuffer(bytes: bytes.suffix(1)))
        guard case .head(let head)? = try channel.readInbound(as: HTTPServerRequestPart.self) else {
            throw Finding("NIO sees no request")
        }
        let isTarget = head.uri == "/ws?\(query)" || query.isEmpty && head.uri == "/ws"
        try require(head.method == .GET && head.version == .http1_1 && isTarget, "NIO reads \(head)")
        for name in ["host", "sec-websocket-key", "sec-websocket-version"] {
            try require(head.headers[name].count == 1, "NIO counts \(head.headers[name].count) of \(name)")
        }
        try require(head.headers["sec-websocket-version"] == ["13"], "NIO reads \(head)")
        let upgrade = head.headers[canonicalForm: "upgrade"].map { $0.lowercased() }
        let connection = head.headers[canonicalForm: "connection"].map { $0.lowercased() }
        try require(upgrade.contains("websocket") && connection.contains("upgrade"), "NIO reads \(head)")
        let lengths = head.headers["content-length"]
        try require(
            lengths.allSatisfy { $0 == "0" } && !head.headers.contains(name: "transfer-encoding"),
            "a body: \(head)"
        )
    }
}
