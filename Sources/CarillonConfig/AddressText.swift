/// Addresses as settings write them.
enum AddressText {
    /// `:8080`, `host:8080`, `127.0.0.1:8080`, `[::1]:8080`
    static func listen(_ text: String) -> Settings.ListenAddress? {
        guard let (host, port) = split(text), let port, let number = self.port(port, from: 0) else { return nil }
        guard host.isEmpty || isHost(host) else { return nil }
        return Settings.ListenAddress(host: host.isEmpty ? nil : host, port: number)
    }

    /// `host`, `host:6379`, `[::1]:6379`, `unix:/path`
    static func redis(_ text: String) -> Settings.Redis.Address? {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            return isSocketPath(path) ? .unix(path: path) : nil
        }
        return tcp(text, defaultPort: 6_379)
    }

    /// `host`, `host:26379`, `[::1]:26379`, several of them separated by commas.
    static func list(_ text: String, defaultPort: Int) -> [Settings.Redis.Address]? {
        var addresses: [Settings.Redis.Address] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let part = part.drop { $0 == " " }
            guard let address = tcp(String(part), defaultPort: defaultPort), !addresses.contains(address) else {
                return nil
            }
            addresses.append(address)
        }
        return addresses
    }

    static func tcp(_ text: String, defaultPort: Int) -> Settings.Redis.Address? {
        guard let (host, port) = split(text), isHost(host) else { return nil }
        guard let port else { return .tcp(host: host, port: defaultPort) }
        return self.port(port, from: 1).map { .tcp(host: host, port: $0) }
    }

    static func format(host: String, port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// An absolute path that fits `sockaddr_un` with its final zero.
    static func isSocketPath(_ path: String) -> Bool {
        path.hasPrefix("/") && (2...107).contains(path.utf8.count) && !path.utf8.contains(0)
    }

    private static func split(_ text: String) -> (host: String, port: Substring?)? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            // Brackets are for IPv6 addresses only, with an optional zone after `%`.
            guard host.contains(":"),
                host.prefix(while: { $0 != "%" }).allSatisfy({ $0.isHexDigit || ":.".contains($0) })
            else { return nil }
            if rest.isEmpty { return (String(host), nil) }
            return rest.hasPrefix(":") ? (String(host), rest.dropFirst()) : nil
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (text, nil)
        case 2: return (String(parts[0]), parts[1])
        default: return nil
        }
    }

    private static func port(_ text: Substring, from least: Int) -> Int? {
        guard text.utf8.allSatisfy(SettingValues.isDigit), let port = Int(text) else { return nil }
        return (least...65_535).contains(port) ? port : nil
    }

    /// Host names and addresses hold nothing else; names are resolved later.
    private static func isHost(_ host: String) -> Bool {
        (1...255).contains(host.utf8.count)
            && host.utf8.allSatisfy { byte in
                SettingValues.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || "-._:%".utf8.contains(byte)
            }
    }
}
