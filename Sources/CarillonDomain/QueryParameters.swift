/// The parameters of a query string: `user_id=1&login=alice`.
///
/// A `+` stays a plus: form rules would make it a space, but a login may hold a plus and never a space.
/// - Source: RFC 3986 §2.1, §3.4
package struct QueryParameters: Sendable {
    private let query: String

    /// - Parameter query: What follows the `?`, still percent-encoded.
    package init(_ query: some StringProtocol) {
        self.query = String(query)
    }

    /// The decoded value of the first parameter called `name`, empty where it has no `=`.
    ///
    /// Nil where there is none, and where its value holds an escape that is broken or no UTF-8: such a value is never
    /// taken literally, nor is a second parameter of that name taken instead.
    package subscript(name: String) -> String? {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let key = pair.prefix { $0 != UInt8(ascii: "=") }
            guard Self.decode(key) == name else { continue }
            return Self.decode(pair.dropFirst(key.count + 1))
        }
        return nil
    }

    /// Whether there is a parameter of that name, whatever its value.
    package func has(_ name: String) -> Bool {
        query.utf8.split(separator: UInt8(ascii: "&")).contains { pair in
            Self.decode(pair.prefix { $0 != UInt8(ascii: "=") }) == name
        }
    }

    /// Undoes percent-encoding; nil where an escape is broken or the result is no UTF-8.
    package static func percentDecoded(_ text: some StringProtocol) -> String? {
        let text = String(text)
        return decode(text.utf8[...])
    }

    private static func decode(_ encoded: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.count)
        var rest = encoded
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
