/// `redis://user:password@host:port/db`, `rediss://…` with TLS, `unix://user:password@/path?db=n`.
///
/// - Source: RFC 3986; the "redis" and "rediss" URI schemes as registered with IANA
struct RedisURL {
    var address: Settings.Redis.Address
    var username: String?
    var password: String?
    var database: Int?
    var usesTLS: Bool

    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = text[colon...]
        guard rest.hasPrefix("://"), !rest.contains("#") else { return nil }
        let scheme = text[..<colon].lowercased()
        let (beforeQuery, query) = Self.cut(rest.dropFirst(3), at: "?")
        // The path begins at the first slash after the credentials, which may not hold a slash themselves.
        let slash = beforeQuery.firstIndex(of: "/") ?? beforeQuery.endIndex
        var host = beforeQuery[..<slash]
        let path = beforeQuery[slash...]
        if let at = host.lastIndex(of: "@") {
            let (user, password) = Self.cut(host[..<at], at: ":")
            guard let user = Self.percentDecoded(user) else { return nil }
            if !user.isEmpty { username = user }
            if let password {
                guard let decoded = Self.percentDecoded(password) else { return nil }
                if !decoded.isEmpty { self.password = decoded }
            }
            host = host[host.index(after: at)...]
        }
        if let query {
            guard query.hasPrefix("db="), let number = Self.database(query.dropFirst(3)) else { return nil }
            database = number
        }
        switch scheme {
        case "redis", "rediss":
            usesTLS = scheme == "rediss"
            guard let tcp = AddressText.tcp(host.isEmpty ? "localhost" : String(host), defaultPort: 6_379) else {
                return nil
            }
            address = tcp
            if path.count > 1 {
                guard database == nil, let number = Self.database(path.dropFirst()) else { return nil }
                database = number
            }
        case "unix":
            usesTLS = false
            guard host.isEmpty, let path = Self.percentDecoded(path), AddressText.isSocketPath(path) else { return nil }
            address = .unix(path: path)
        default:
            return nil
        }
    }

    private static func database(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy(SettingValues.isDigit), let number = Int(text) else { return nil }
        return (0...15).contains(number) ? number : nil
    }

    private static func cut(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// Nil where an escape is cut short or the bytes are not UTF-8.
    static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = Substring(rest.prefix(2))
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
