import CarillonHTTP
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// Requests as they arrive at the port, as far as our own framing takes them.
///
/// - The verdict is the same whatever pieces they come in.
/// - What is taken, NIO's parser reads as the same request, with the same body and the next request at the same byte; they agree
///   on whether the connection goes on and whether there is a key. Two parsers that disagree about a request's end are how
///   requests are smuggled.
package enum HTTPFastPath {
    package static let bodyLimit = 64
    private static let next = Array("GET /next HTTP/1.1\r\nHost: next\r\n\r\n".utf8)

    /// - Returns: Whether the first request was taken.
    package static func check(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
        var rest = UnsafeRawBufferPointer(rebasing: bytes[...])
        var isTaken = false
        // Requests that are sent ahead stand one behind the other.
        while !rest.isEmpty, let head = try checkFirst(rest) {
            isTaken = true
            let end = head.headLength + head.bodyLength
            guard end < rest.count, !head.closes else { break }
            rest = UnsafeRawBufferPointer(rebasing: rest[end...])
        }
        return isTaken
    }

    private static func checkFirst(_ bytes: UnsafeRawBufferPointer) throws -> NotifyHead? {
        let verdict = verdict(on: bytes, arriving: [bytes.count])
        for way in Pieces.ways(of: bytes) {
            var end = 0
            let ends = way.map { piece in
                end += piece.count
                return end
            }
            let inPieces = Self.verdict(on: bytes, arriving: ends)
            try require(inPieces == verdict, "\(verdict) whole, \(inPieces) in pieces: \(shown(bytes))")
        }
        guard case .notify(let head) = verdict else { return nil }
        try require(head.bodyLength <= bodyLimit, "a body of \(head.bodyLength) bytes")
        try compareWithNIO(bytes, head)
        return head
    }

    private static func verdict(on bytes: UnsafeRawBufferPointer, arriving ends: [Int]) -> RequestVerdict {
        var sniffer = RequestSniffer()
        for end in ends {
            // Memory of its own, so that reading past its end is noticed.
            let verdict = Array(bytes[..<end]).withUnsafeBytes { sniffer.examine($0, bodyLimit: bodyLimit) }
            guard verdict == .undecided else { return verdict }
        }
        return .undecided
    }

    private static func compareWithNIO(_ bytes: UnsafeRawBufferPointer, _ head: NotifyHead) throws {
        let end = head.headLength + head.bodyLength
        var whole = Array(bytes.prefix(end))
        whole += [UInt8](repeating: UInt8(ascii: "x"), count: end - whole.count)
        let body = whole[head.headLength...]
        // Asked to close the connection, neither reads on.
        if !head.closes { whole += next }
        let reading = try Reading(whole)
        let requests = ["POST /api/v1/notify HTTP/1.1", "end"] + (head.closes ? [] : ["GET /next HTTP/1.1", "end"])
        try require(reading.parts == requests, "NIO reads \(reading.parts) in \(shown(whole))")
        try require(reading.body.elementsEqual(body), "NIO reads the body \(shown(reading.body)) in \(shown(whole))")
        try require(reading.first?.isKeepAlive == !head.closes, "NIO goes on, or does not, after \(shown(whole))")
        let keys = reading.first?.headers["idempotency-key"].count
        try require(keys == (head.idempotencyKey == nil ? 0 : 1), "NIO counts other keys in \(shown(whole))")
    }

    /// What NIO's parser makes of some bytes.
    private struct Reading {
        var first: HTTPRequestHead?
        /// All but the bodies.
        var parts: [String] = []
        /// Of the first request.
        var body: [UInt8] = []

        init(_ bytes: [UInt8]) throws {
            let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
            defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
            do {
                try channel.writeInbound(ByteBuffer(bytes: bytes))
            } catch {
                parts.append("\(error)")
            }
            while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
                switch part {
                case .head(let head):
                    if first == nil { first = head }
                    parts.append("\(head.method) \(head.uri) \(head.version)")
                case .body(let part) where parts.count == 1: body += part.readableBytesView
                case .body: parts.append("body")
                case .end(let trailers): parts.append(trailers == nil ? "end" : "trailers")
                }
            }
        }
    }
}
