import CarillonDomain

/// Reading the `Idempotency-Key` header.
enum IdempotencyKey {
    /// The key in a header's value, already trimmed; nil where it is empty or longer than 255 bytes.
    ///
    /// A value in the quoted form of structured fields counts as the bare one: `"abc"` is `abc`.
    /// - Source: RFC 8941 §3.3.3
    static func parse(_ value: some BidirectionalCollection<UInt8>) -> String? {
        if let inner = unquoted(value) { return bounded(inner) }
        return bounded(value)
    }

    private static func bounded(_ bytes: some Collection<UInt8>) -> String? {
        guard (1...Limits.idempotencyKeyBytes).contains(bytes.count) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func unquoted(_ value: some BidirectionalCollection<UInt8>) -> [UInt8]? {
        let quote = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        guard value.count >= 2, value.first == quote, value.last == quote else { return nil }
        var inner: [UInt8] = []
        var isEscaped = false
        for byte in value.dropFirst().dropLast() {
            if isEscaped {
                guard byte == quote || byte == backslash else { return nil }
                inner.append(byte)
                isEscaped = false
            } else if byte == backslash {
                isEscaped = true
            } else if byte == quote {
                return nil
            } else {
                inner.append(byte)
            }
        }
        return isEscaped ? nil : inner
    }
}
