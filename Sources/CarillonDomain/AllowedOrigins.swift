/// The origins whose pages may call this server, though they come from elsewhere.
///
/// - Source: RFC 6454 §6.2, Fetch Standard §3.3
package enum AllowedOrigins: Hashable, Sendable {
    case any
    case only(Set<String>)

    /// Parses `*`, or origins separated by commas; nil for anything else.
    ///
    /// Origins are kept as browsers write them: in lower case, without the scheme's own port.
    package init?(_ text: String) {
        if text == "*" {
            self = .any
            return
        }
        var origins: Set<String> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let origin = Self.origin(part) else { return nil }
            origins.insert(origin)
        }
        self = .only(origins)
    }

    /// What `Access-Control-Allow-Origin` says to a request of this origin; nil where the origin may not call.
    package func answer(to origin: String?) -> String? {
        switch self {
        case .any: "*"
        case .only(let origins): origin.flatMap { origins.contains($0) ? $0 : nil }
        }
    }

    private static func origin(_ text: Substring) -> String? {
        let parts = text.trimmingBlanks.lowercased().split(
            separator: "://",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard parts.count == 2, isScheme(parts[0].utf8) else { return nil }
        let bracket = parts[1].hasPrefix("[") ? parts[1].firstIndex(of: "]") : parts[1].startIndex
        guard let bracket else { return nil }
        let colon = parts[1][bracket...].firstIndex(of: ":") ?? parts[1].endIndex
        let (host, port) = (parts[1][..<colon], parts[1][colon...].dropFirst())
        guard isHost(host), colon == parts[1].endIndex || isPort(port) else { return nil }
        let isDefault = port.isEmpty || defaultPorts[String(parts[0])] == Int(port)
        return "\(parts[0])://\(host)" + (isDefault ? "" : ":\(port)")
    }

    private static let defaultPorts = ["http": 80, "https": 443]

    private static func isScheme(_ bytes: Substring.UTF8View) -> Bool {
        guard let first = bytes.first, isLetter(first) else { return false }
        return bytes.allSatisfy { isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }
    }

    private static func isHost(_ text: Substring) -> Bool {
        if text.hasPrefix("[") {
            let address = text.dropFirst().dropLast().utf8
            return text.hasSuffix("]") && address.contains(UInt8(ascii: ":"))
                && address.allSatisfy { isDigit($0) || (0x61...0x66).contains($0) || ":.".utf8.contains($0) }
        }
        return !text.isEmpty && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || "-._".utf8.contains($0) }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard text.utf8.allSatisfy(isDigit), text.first != "0", let port = Int(text) else { return false }
        return (1...65_535).contains(port)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest = rest.dropLast() }
        return rest
    }
}
