import CarillonTLS

extension RedisConfiguration {
    /// Reads `redis://[user:password@]host[:port][/db]`, `rediss://…` (TLS) or `unix://[user:password@]/path[?db=n]`.
    ///
    /// User, password and path are percent-decoded; `?db=n` works everywhere. An empty user is Redis's default user.
    ///
    /// - Throws: `RedisError` code `.invalidConfiguration` with words for the operator, which repeat nothing of the URL: a
    ///   password that should have been encoded may be anywhere in it.
    /// - Source: IANA registration of the schemes `redis` and `rediss`; RFC 3986 section 3
    package init(url: String) throws(RedisError) {
        guard let colon = url.firstRange(of: "://") else {
            throw .invalid("a Redis URL starts with redis://, rediss:// or unix://")
        }
        let scheme = url[..<colon.lowerBound].lowercased()
        var rest = url[colon.upperBound...]
        guard !rest.utf8.contains(UInt8(ascii: "#")) else {
            throw .invalid("a Redis URL has no fragment; write # as %23")
        }
        let query = Self.split(&rest, at: "?")
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        let path = rest[slash...]

        self.init()
        let place: Substring
        if let at = authority.lastIndex(of: "@") {
            try signIn(authority[..<at])
            place = authority[authority.index(after: at)...]
        } else {
            place = authority
        }
        switch scheme {
        case "redis", "rediss":
            endpoint = try Self.tcp(place)
            tls = scheme == "rediss" ? TLSClientConfiguration() : nil
            if path.count > 1 { database = try Self.database(path.dropFirst()) }
        case "unix":
            guard place.isEmpty else { throw .invalid("a unix URL has three slashes: unix:///path/to/redis.sock") }
            endpoint = try Self.unix(try Self.decode(path, "the path"))
        default:
            throw .invalid("a Redis URL starts with redis://, rediss:// or unix://")
        }
        try readQuery(query)
    }

    /// Reads `host`, `host:port`, `[v6 address]:port` or `unix:/path`.
    ///
    /// - Throws: `RedisError` code `.invalidConfiguration`.
    package init(address: String) throws(RedisError) {
        self.init()
        if address.hasPrefix("unix:") {
            let path = address.dropFirst(5)
            endpoint = try Self.unix(String(path.hasPrefix("//") ? path.dropFirst(2) : path))
        } else {
            endpoint = try Self.tcp(address[...])
        }
    }

    private mutating func signIn(_ text: Substring) throws(RedisError) {
        guard let colon = text.firstIndex(of: ":") else {
            throw .invalid("a Redis URL that names a user needs a password: user:password@, or :password@")
        }
        let user = try Self.decode(text[..<colon], "the user")
        username = user.isEmpty ? nil : user
        password = try Self.decode(text[text.index(after: colon)...], "the password")
        if password == "" { throw .invalid("the password of a Redis URL is empty") }
    }

    private static let queryRule =
        "behind the ? of a Redis URL stands only db=<number>; a ? in a password is written %3F"

    private mutating func readQuery(_ query: Substring?) throws(RedisError) {
        for pair in (query ?? "").split(separator: "&") {
            var name = pair
            guard let value = Self.split(&name, at: "=") else {
                throw .invalid(Self.queryRule)
            }
            guard name == "db" else { throw .invalid(Self.queryRule) }
            database = try Self.database(value)
        }
    }

    private static func tcp(_ place: Substring) throws(RedisError) -> Endpoint {
        let host: Substring
        var port: Substring?
        if place.hasPrefix("[") {
            guard let end = place.firstIndex(of: "]") else { throw .invalid("a [ in a Redis address has no ]") }
            host = place[place.index(after: place.startIndex)..<end]
            let after = place[place.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw .invalid("after ] comes only a port") }
            port = after.isEmpty ? nil : after.dropFirst()
        } else {
            var before = place
            port = split(&before, at: ":")
            host = before
            if port?.utf8.contains(UInt8(ascii: ":")) == true {
                throw .invalid("an IPv6 address in a Redis address stands in brackets: [::1]:6379")
            }
        }
        guard !host.isEmpty else { throw .invalid("a Redis address names no host") }
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw .invalid("the host of a Redis address holds a space or a control character")
        }
        guard let port else { return .tcp(host: String(host), port: defaultPort) }
        guard let number = number(port), (1...65_535).contains(number) else {
            throw .invalid("the port of a Redis address is a number from 1 to 65535; a / in a password is written %2F")
        }
        return .tcp(host: String(host), port: number)
    }

    /// Longest path that `sockaddr_un` takes on Linux, its final zero not counted.
    private static let unixPathBytes = 107

    private static func unix(_ path: String) throws(RedisError) -> Endpoint {
        guard path.hasPrefix("/") else {
            throw .invalid("the path of a unix socket starts with a slash: unix:///path/to/redis.sock")
        }
        guard path.utf8.count <= unixPathBytes, !path.utf8.contains(0) else {
            throw .invalid("the path of a unix socket is at most \(unixPathBytes) bytes")
        }
        return .unix(path: path)
    }

    private static func database(_ text: Substring) throws(RedisError) -> Int {
        guard let number = number(text) else {
            throw .invalid("the database of a Redis URL is a number from 0")
        }
        return number
    }

    private static func number(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int32(text).map(Int.init)
    }

    /// Cuts `text` before the first `separator` and returns what stood behind it; nil where there is none.
    private static func split(_ text: inout Substring, at separator: Character) -> Substring? {
        guard let index = text.firstIndex(of: separator) else { return nil }
        defer { text = text[..<index] }
        return text[text.index(after: index)...]
    }

    private static func decode(_ text: Substring, _ what: String) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                throw .invalid("\(what) of a Redis URL has a % without two hexadecimal digits; write % itself as %25")
            }
            bytes.append(high << 4 | low)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw .invalid("\(what) of a Redis URL is not UTF-8 once decoded")
        }
        return decoded
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
