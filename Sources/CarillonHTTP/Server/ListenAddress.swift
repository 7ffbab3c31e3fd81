/// Where the server listens: `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`.
package struct ListenAddress: Hashable, Sendable {
    /// Nil for every address of the machine, IPv6 and IPv4.
    package let host: String?
    /// 0 lets the system choose.
    package let port: Int

    package init(host: String? = nil, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil where `text` is no address.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(digits), port <= 65_535
        else { return nil }
        let host = text[..<colon]
        if host.isEmpty {
            self.init(port: port)
        } else if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
            self.init(host: String(host.dropFirst().dropLast()), port: port)
        } else {
            // An IPv6 address without brackets cannot be told from its port.
            guard !host.contains(where: { ":[] ".contains($0) }) else { return nil }
            self.init(host: String(host), port: port)
        }
    }
}

extension ListenAddress: CustomStringConvertible {
    package var description: String {
        guard let host else { return ":\(port)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
