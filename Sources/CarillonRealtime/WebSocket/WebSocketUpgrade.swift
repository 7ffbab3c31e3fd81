import CarillonDomain

/// The opening handshake: a request head that asks for a WebSocket, or what is wrong with it.
///
/// Stricter than a general HTTP parser needs to be: whatever two programs could read in two ways (bare line feeds,
/// folded lines, blanks before a colon, a body, a repeated field) is refused, because what follows the head is taken
/// for frames.
/// - Source: RFC 6455 §4.2, RFC 9112 §2–6
struct WebSocketUpgrade: Equatable {
    /// What follows `?` in the target, percent-encoded as it came; empty when there is nothing.
    let query: String
    /// The value of `Sec-WebSocket-Accept`.
    let accept: String
    /// What the client offers and is spoken here; nil: the frames that need no name.
    let subprotocol: Subprotocol?

    /// - Parameter head: A whole request head, the empty line included.
    /// - Throws: 400, 404 or 426, as the response that it becomes.
    static func parse(_ head: UnsafeRawBufferPointer) throws(WebSocketRefusal) -> WebSocketUpgrade {
        var lines = HeadLines(head)
        guard let request = lines.next() else { throw .malformed("the request line is missing") }
        let query = try query(ofRequestLine: request)
        let fields = try UpgradeFields(&lines)
        return try WebSocketUpgrade(query: query, accept: fields.validated(), subprotocol: fields.subprotocol)
    }

    var response: String {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(accept)\r\n"
            + (subprotocol.map { "Sec-WebSocket-Protocol: \($0.rawValue)\r\n" } ?? "") + "\r\n"
    }

    private static func query(ofRequestLine line: UnsafeRawBufferPointer) throws(WebSocketRefusal) -> String {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("the request line is not METHOD TARGET VERSION") }
        guard parts[0].elementsEqual("GET".utf8) else { throw .malformed("a WebSocket is opened with GET") }
        guard parts[2].elementsEqual("HTTP/1.1".utf8) else { throw .malformed("a WebSocket is opened with HTTP/1.1") }
        let target = parts[1]
        guard target.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }) else {
            throw .malformed("the request target holds characters that a target cannot hold")
        }
        let mark = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        guard target[..<mark].elementsEqual("/ws".utf8) else { throw WebSocketRefusal(problem: .notFound) }
        return String(decoding: target[mark...].dropFirst(), as: UTF8.self)
    }
}

/// An HTTP response instead of a WebSocket.
struct WebSocketRefusal: Error, Equatable {
    let problem: Problem
    /// Whole header lines beside those that every problem has.
    var headers = ""

    static func malformed(_ detail: String) -> Self {
        Self(problem: Problem(status: 400, code: "bad_request", title: "Bad Request", detail: detail))
    }

    static func upgradeRequired(_ detail: String) -> Self {
        Self(
            problem: Problem(status: 426, code: "upgrade_required", title: "Upgrade Required", detail: detail),
            headers: "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        )
    }

    static func headTooLarge(limit: Int) -> Self {
        Self(
            problem: Problem(
                status: 431,
                code: "head_too_large",
                title: "Request Header Fields Too Large",
                detail: "the request head is longer than \(limit) bytes"
            )
        )
    }

    /// - Source: RFC 9110 §15.5.22: a 426 names the protocol in Upgrade, which is a connection option.
    var response: String {
        let body = problem.json
        var text = "HTTP/1.1 \(problem.status) \(problem.title)\r\n"
        text += "Content-Type: application/problem+json\r\nContent-Length: \(body.utf8.count)\r\n"
        text += problem.status == 426 ? "Connection: Upgrade, close\r\n" : "Connection: close\r\n"
        if let seconds = problem.retryAfterSeconds { text += "Retry-After: \(seconds)\r\n" }
        return text + headers + "\r\n" + body
    }
}

/// The fields that a handshake is judged by.
private struct UpgradeFields {
    private var host: UnsafeRawBufferPointer?
    private var upgrade: UnsafeRawBufferPointer?
    private var connection: UnsafeRawBufferPointer?
    private var version: UnsafeRawBufferPointer?
    private var key: UnsafeRawBufferPointer?
    private var length: UnsafeRawBufferPointer?
    private(set) var subprotocol: Subprotocol?

    init(_ lines: inout HeadLines) throws(WebSocketRefusal) {
        while let line = lines.next(), !line.isEmpty {
            let (name, value) = try Self.split(line)
            switch name {
            case "host": try Self.set(&host, value, name)
            case "upgrade": try Self.set(&upgrade, value, name)
            case "connection": try Self.set(&connection, value, name)
            case "sec-websocket-version": try Self.set(&version, value, name)
            case "sec-websocket-key": try Self.set(&key, value, name)
            // May stand in several lines, which are one list.
            case "sec-websocket-protocol" where Self.offers(.notificationsV1, value): subprotocol = .notificationsV1
            case "content-length" where value.elementsEqual("0".utf8): try Self.set(&length, value, name)
            case "content-length", "transfer-encoding": throw .malformed("a request for a WebSocket has no body")
            default: break
            }
        }
    }

    /// - Returns: The value of `Sec-WebSocket-Accept`.
    func validated() throws(WebSocketRefusal) -> String {
        guard host != nil else { throw .malformed("Host is missing") }
        guard let upgrade, Self.list(upgrade, contains: "websocket") else {
            throw .upgradeRequired("this path speaks WebSocket only")
        }
        guard let connection, Self.list(connection, contains: "upgrade") else {
            throw .upgradeRequired("Connection does not say upgrade")
        }
        guard let version, version.elementsEqual("13".utf8) else {
            throw .upgradeRequired("only version 13 of the protocol is spoken")
        }
        guard let key, WebSocketKey.isKey(key) else {
            throw .malformed("Sec-WebSocket-Key is not 16 bytes in base64")
        }
        return WebSocketKey.accept(key)
    }

    private static func set(
        _ field: inout UnsafeRawBufferPointer?,
        _ value: UnsafeRawBufferPointer,
        _ name: String
    ) throws(WebSocketRefusal) {
        guard field == nil else { throw .malformed("\(name) stands there twice") }
        field = value
    }

    /// - Returns: The name in lower case and the value without the blanks around it.
    private static func split(
        _ line: UnsafeRawBufferPointer
    ) throws(WebSocketRefusal) -> (String, UnsafeRawBufferPointer) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0, line[..<colon].allSatisfy(isToken) else {
            throw .malformed("a header line has no proper name")
        }
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var value = line[(colon + 1)...].drop(while: isBlank)
        while let last = value.last, isBlank(last) { value = value.dropLast() }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") }) else {
            throw .malformed("a header value holds control characters")
        }
        let name = String(decoding: line[..<colon].map(lowercased), as: UTF8.self)
        return (name, UnsafeRawBufferPointer(rebasing: value))
    }

    private static func list(_ value: UnsafeRawBufferPointer, contains token: String) -> Bool {
        value.split(separator: UInt8(ascii: ",")).contains { item in
            String(decoding: item.filter { $0 != 0x20 && $0 != 0x09 }.map(lowercased), as: UTF8.self) == token
        }
    }

    /// Names of subprotocols are told apart by case.
    ///
    /// - Source: RFC 6455 §4.2.2, §11.3.4
    private static func offers(_ subprotocol: Subprotocol, _ value: UnsafeRawBufferPointer) -> Bool {
        value.split(separator: UInt8(ascii: ",")).contains { item in
            item.filter { $0 != 0x20 && $0 != 0x09 }.elementsEqual(subprotocol.rawValue.utf8)
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// - Source: RFC 9110 §5.6.2
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// The lines of a head, without their CRLF. A CR or LF of its own stays in its line, where no rule allows it.
private struct HeadLines {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ head: UnsafeRawBufferPointer) {
        rest = head[...]
    }

    mutating func next() -> UnsafeRawBufferPointer? {
        var from = rest.startIndex
        while let index = rest[from...].firstIndex(of: UInt8(ascii: "\r")), index + 1 < rest.endIndex {
            if rest[index + 1] == UInt8(ascii: "\n") {
                defer { rest = rest[(index + 2)...] }
                return UnsafeRawBufferPointer(rebasing: rest[..<index])
            }
            from = index + 1
        }
        return nil
    }
}
