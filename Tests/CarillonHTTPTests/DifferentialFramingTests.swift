import CarillonTestSupport
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import CarillonHTTP

/// What the own framing takes, the library's parser reads in the same way: the same request, the same body, and the next
/// request at the same byte. Two parsers that disagree about a request's end are how requests are smuggled.
@Suite struct DifferentialFramingTests {
    private static let rounds = 4_000
    private static let bodyLimit = 64
    private static let next = Array("GET /next HTTP/1.1\r\nHost: next\r\n\r\n".utf8)

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func takesNothingThatTheLibraryReadsOtherwise(seed: UInt64) throws {
        var mutator = RequestMutator(seed: seed)
        var taken = 0
        for _ in 0..<Self.rounds {
            let bytes = mutator.request()
            let verdict = Self.verdict(on: bytes, in: [bytes.count])
            #expect(verdict == Self.verdict(on: bytes, in: mutator.cuts(of: bytes)), "\(Self.text(bytes))")
            guard case .notify(let head) = verdict else { continue }
            let end = head.headLength + head.bodyLength
            var whole = bytes + Array(repeating: UInt8(ascii: "x"), count: max(0, end - bytes.count))
            // Asked to close the connection, neither reads on.
            whole.replaceSubrange(end..., with: head.closes ? [] : Self.next)
            let same = Reading.requests(head.closes ? 1 : 2, body: Array(whole[head.headLength..<end]))
            taken += 1
            #expect(try Self.libraryReads(whole) == same, "\(Self.text(whole))")
        }
        // Neither nearly all nor nearly none, or the comparison would say little.
        #expect((Self.rounds / 10...Self.rounds * 9 / 10).contains(taken), "\(taken) taken")
    }

    /// What the library made of a request, and of the one behind it.
    private enum Reading: Equatable {
        case requests(Int, body: [UInt8])
        case otherwise(String)
    }

    private static func libraryReads(_ bytes: [UInt8]) throws -> Reading {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { return .otherwise("\(error)") }
        var lines: [String] = []
        var body: [UInt8] = []
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head): lines.append("\(head.method) \(head.uri) \(head.version)")
            case .body(let part) where lines.count == 1: body += part.readableBytesView
            case .body: lines.append("body")
            case .end(let trailers): lines.append(trailers == nil ? "end" : "trailers")
            }
        }
        let one = ["POST /api/v1/notify HTTP/1.1", "end"]
        if lines == one { return .requests(1, body: body) }
        let two = one + ["GET /next HTTP/1.1", "end"]
        return lines == two ? .requests(2, body: body) : .otherwise("\(lines)")
    }

    private static func verdict(on bytes: [UInt8], in cuts: [Int]) -> RequestVerdict {
        var sniffer = RequestSniffer()
        for cut in cuts {
            let verdict = bytes[..<cut].withUnsafeBytes { sniffer.examine($0, bodyLimit: bodyLimit) }
            guard verdict == .undecided else { return verdict }
        }
        return .undecided
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
}
