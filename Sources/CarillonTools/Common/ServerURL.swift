/// An argument or a variable that cannot be used; the message says which and why.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Where a Carillon server is: `http(s)://` or `ws(s)://`, a host, and the path it is mounted at.
///
/// The full addresses of `/ws` and `/api/v1/notify` are taken too, so that one variable serves both tools.
///
/// - Source: RFC 3986 §3
package struct ServerURL: Hashable, Sendable {
    package let isSecure: Bool
    /// Without the brackets of an IPv6 address.
    package let host: String
    package let port: Int
    /// What comes before `/ws` and `/api/v1/notify`; empty for the root.
    package let prefix: String
    /// Still percent-encoded; nil where the address has none.
    package let query: String?

    package static let standard = "http://localhost:8080"

    package init(_ text: String) throws(UsageError) {
        func wrong(_ reason: String) -> UsageError {
            UsageError("\(Printable.line(text)) is no server address: \(reason)")
        }

        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw wrong("spaces, control characters and letters beyond ASCII must be percent-encoded")
        }
        var rest = text[...]
        var secure = false
        if let scheme = text.range(of: "://") {
            switch text[..<scheme.lowerBound].lowercased() {
            case "http", "ws": break
            case "https", "wss": secure = true
            default: throw wrong("it must start with http://, https://, ws:// or wss://")
            }
            rest = text[scheme.upperBound...]
        }
        guard !rest.contains("#") else { throw wrong("it has a fragment") }
        let mark = rest.firstIndex(of: "?")
        query = mark.map { String(rest[rest.index(after: $0)...]) }
        rest = rest[..<(mark ?? rest.endIndex)]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        guard !authority.contains("@") else { throw wrong("it has a user name") }
        guard let (host, port) = Self.split(authority), !host.isEmpty else { throw wrong("host or port is not valid") }
        isSecure = secure
        self.host = host
        self.port = port ?? (secure ? 443 : 80)
        prefix = Self.prefix(of: rest[slash...])
    }

    private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Substring = ""
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            port = authority[authority.index(after: bracket)...]
            guard port.isEmpty || port.hasPrefix(":") else { return nil }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[colon...]
        }
        guard port.count > 1 else { return (String(host), nil) }
        guard let number = UInt16(port.dropFirst()), number > 0, !port.dropFirst().hasPrefix("+") else { return nil }
        return (String(host), Int(number))
    }

    private static func prefix(of path: Substring) -> String {
        var path = path
        while path.hasSuffix("/") { path.removeLast() }
        for end in ["/ws", "/api/v1/notify"] where path.hasSuffix(end) { path.removeLast(end.count) }
        return String(path)
    }

    /// The value of the `Host` field.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    package var notifyPath: String { "\(prefix)/api/v1/notify" }

    /// The value of a parameter of the query, decoded; nil where it is missing.
    package func parameter(_ name: String) -> String? {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts[0] == name { return parts.count == 2 ? Self.decoded(parts[1]) : "" }
        }
        return nil
    }

    /// The request target of the WebSocket, the query's other parameters kept.
    package func webSocketPath(_ parameters: [(name: String, value: String)]) -> String {
        let kept = (query ?? "").split(separator: "&").filter { pair in
            !parameters.contains { $0.name == pair.prefix { $0 != "=" } }
        }
        let own = parameters.map { "\($0.name)=\(Self.encoded($0.value))" }
        return "\(prefix)/ws?" + (own + kept.map(String.init)).joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            switch Unicode.Scalar(byte) {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": String(Unicode.Scalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(Substring(rest.prefix(2))), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension StringProtocol {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
