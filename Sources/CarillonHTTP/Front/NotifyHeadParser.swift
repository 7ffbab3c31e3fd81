/// Parses the header lines of a notify request, and refuses whatever is not entirely usual.
///
/// - Source: RFC 9112 §5 and §6, RFC 9110 §5.6.2
enum NotifyHeadParser {
    /// - Parameter lines: The header lines and the empty line, each known to end in CR LF.
    /// - Returns: Nil where the request must be left to the library.
    static func parse(
        _ lines: UnsafeRawBufferPointer,
        headLength: Int,
        bodyLimit: Int,
        leavesOrigins: Bool
    ) -> NotifyHead? {
        var fields = Fields(bodyLimit: bodyLimit, leavesOrigins: leavesOrigins)
        var start = 0
        while start < lines.count {
            var end = start
            while lines[end] != 0x0d { end += 1 }
            // A CR anywhere but before LF is what some parsers take for a line's end.
            guard lines[end + 1] == 0x0a else { return nil }
            if end == start { break }
            guard fields.take(lines, start..<end) else { return nil }
            start = end + 2
        }
        return fields.head(length: headLength)
    }

    private struct Fields {
        let bodyLimit: Int
        let leavesOrigins: Bool
        var bodyLength: Int?
        var hasHost = false
        var hasContentType = false
        var hasConnection = false
        var idempotencyKey: String?
        var closes = false

        init(bodyLimit: Int, leavesOrigins: Bool) {
            self.bodyLimit = bodyLimit
            self.leavesOrigins = leavesOrigins
        }

        func head(length: Int) -> NotifyHead? {
            guard hasHost, hasContentType, let bodyLength else { return nil }
            return NotifyHead(
                headLength: length,
                bodyLength: bodyLength,
                idempotencyKey: idempotencyKey,
                closes: closes
            )
        }

        /// Takes one line; false where it is unusual.
        mutating func take(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> Bool {
            var colon = line.lowerBound
            while colon < line.upperBound, isTokenByte(bytes[colon]) { colon += 1 }
            guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else {
                return false
            }
            var start = colon + 1
            var end = line.upperBound
            while start < end, bytes[start] == UInt8(ascii: " ") { start += 1 }
            while end > start, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
            for index in start..<end where bytes[index] < 0x20 || bytes[index] > 0x7e { return false }
            return take(
                name: UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<colon]),
                value: UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            )
        }

        private mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Bool {
            switch name.count {
            case 4 where name.equals("host"):
                defer { hasHost = true }
                return !hasHost && !value.isEmpty
            case 6 where name.equals("expect"), 7 where name.equals("upgrade"), 7 where name.equals("trailer"),
                16 where name.equals("content-encoding"), 16 where name.equals("proxy-connection"),
                17 where name.equals("transfer-encoding"):
                return false
            case 6 where name.equals("origin"):
                return !leavesOrigins
            case 10 where name.equals("connection"):
                guard !hasConnection else { return false }
                hasConnection = true
                closes = value.equals("close")
                return closes || value.equals("keep-alive")
            case 12 where name.equals("content-type"):
                defer { hasContentType = true }
                return !hasContentType && isJSON(value)
            case 14 where name.equals("content-length"):
                guard bodyLength == nil, let length = decimal(value), length <= bodyLimit else { return false }
                bodyLength = length
                return true
            case 15 where name.equals("idempotency-key"):
                guard idempotencyKey == nil, let key = IdempotencyKey.parse(value) else { return false }
                idempotencyKey = key
                return true
            default:
                return true
            }
        }
    }

    /// `application/json`, with or without parameters.
    private static func isJSON(_ value: UnsafeRawBufferPointer) -> Bool {
        let type: StaticString = "application/json"
        let length = type.utf8CodeUnitCount
        guard value.count >= length else { return false }
        guard UnsafeRawBufferPointer(rebasing: value[..<length]).equals(type) else { return false }
        return value.count == length || value[length] == UInt8(ascii: ";") || value[length] == UInt8(ascii: " ")
    }

    /// Digits only, up to nine of them and none in vain.
    private static func decimal(_ value: UnsafeRawBufferPointer) -> Int? {
        guard (1...9).contains(value.count), value.count == 1 || value[0] != UInt8(ascii: "0") else { return nil }
        var number = 0
        for byte in value {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    /// - Source: RFC 9110 §5.6.2, tchar
    @inline(__always)
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        let (low, high): (UInt64, UInt64) = (0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe)
        return (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte & 63)) & 1 == 1
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes are `lowercase`, the case of ASCII letters aside.
    @inline(__always)
    fileprivate func equals(_ lowercase: StaticString) -> Bool {
        guard count == lowercase.utf8CodeUnitCount else { return false }
        let other = lowercase.utf8Start
        for index in 0..<count {
            let byte = self[index]
            let lowered = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            guard lowered == other[index] else { return false }
        }
        return true
    }
}
