import CarillonDomain
import NIOCore
import NIOHTTP1

/// What a request head must keep to beyond what the library's parser checks.
enum RequestRules {
    /// What is wrong with a request that is too long, or whose end or addressee could be read in two ways.
    ///
    /// - Source: RFC 9112 §3.2 and §6.3
    static func problem(with head: HTTPRequestHead) -> Problem? {
        if length(of: head) > HTTPConfiguration.headLimitBytes { return .headTooLarge }
        let lengths = head.headers["content-length"]
        let encodings = head.headers["transfer-encoding"]
        if lengths.count > 1 { return .badRequest("Content-Length is there more than once") }
        if let length = lengths.first, contentLength(head) == nil {
            return .badRequest("Content-Length is no number of bytes: \(length)")
        }
        if !encodings.isEmpty {
            guard lengths.isEmpty else { return .badRequest("Content-Length and Transfer-Encoding exclude each other") }
            guard head.version.hasChunks, encodings.count == 1, encodings[0].lowercased() == "chunked" else {
                return .badRequest("the only Transfer-Encoding is chunked, in HTTP/1.1")
            }
        }
        let hosts = head.headers["host"].count
        if hosts > 1 { return .badRequest("Host is there more than once") }
        if hosts == 0, head.version.hasChunks { return .badRequest("Host is missing") }
        if let expectation = head.headers.first(name: "expect"), expectation.lowercased() != "100-continue" {
            return .expectationFailed
        }
        return nil
    }

    /// Bytes of a head as it is usually written, with one blank behind each colon. The parser counts names and values alone.
    private static func length(of head: HTTPRequestHead) -> Int {
        let line = head.method.rawValue.utf8.count + head.uri.utf8.count + " ".count + " HTTP/1.1\r\n".utf8.count
        return head.headers.reduce(line + 2) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }

    /// Nil where there is none, and where it is not digits only.
    static func contentLength(_ head: HTTPRequestHead) -> Int? {
        guard let text = head.headers.first(name: "content-length"), !text.isEmpty else { return nil }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(text)
    }

    static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
        head.version.hasChunks && head.headers.contains(name: "expect")
    }

    /// Whether the parser takes what follows for another protocol.
    static func endsParsing(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || head.headers.contains(name: "upgrade")
    }

    static func isWebSocketUpgrade(_ head: HTTPRequestHead) -> Bool {
        guard head.method == .GET, head.version.hasChunks, head.headers.contains(name: "upgrade") else {
            return false
        }
        guard head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" }) else {
            return false
        }
        return head.uri == "/ws" || head.uri.hasPrefix("/ws?")
    }

    /// Whether it asks for server-sent events.
    static func isStream(_ head: HTTPRequestHead) -> Bool {
        guard head.method == .GET || head.method == .HEAD else { return false }
        return head.uri == Routes.stream || head.uri.hasPrefix(Routes.stream + "?")
    }

    /// The bytes of a head that the parser has consumed.
    static func rawHead(_ head: HTTPRequestHead) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeString("\(head.method.rawValue) \(head.uri) HTTP/1.1\r\n")
        for (name, value) in head.headers { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeString("\r\n")
        return bytes
    }
}

extension HTTPVersion {
    /// HTTP/1.1 or later, with all that this brings: chunks, persistent connections, `Host`, `Expect`.
    var hasChunks: Bool { major == 1 && minor >= 1 }
}
