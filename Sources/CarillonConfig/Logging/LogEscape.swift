/// Keeps what others wrote from steering a terminal or from faking a line of the log.
enum LogEscape {
    /// Appends a scalar to text in double quotes: quotes, backslashes and control characters are escaped.
    static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar {
        case "\"", "\\":
            text.unicodeScalars.append("\\")
            text.unicodeScalars.append(scalar)
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        default:
            if isControl(scalar) { appendCode(scalar, to: &text) } else { text.unicodeScalars.append(scalar) }
        }
    }

    /// `value` in double quotes, valid JSON (RFC 8259) and safe to print.
    static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars { append(scalar, to: &text) }
        return text + "\""
    }

    /// `value` without quotes, as a message reads: only control characters are escaped.
    static func plain(_ value: String) -> String {
        guard value.unicodeScalars.contains(where: isControl) else { return value }
        var text = ""
        for scalar in value.unicodeScalars {
            if isControl(scalar) { append(scalar, to: &text) } else { text.unicodeScalars.append(scalar) }
        }
        return text
    }

    /// `value` as it stands after `key=`: in quotes only where it would not be one word otherwise.
    static func word(_ value: String) -> String {
        let isWord =
            !value.isEmpty
            && value.unicodeScalars.allSatisfy { $0 > " " && $0 != "\"" && $0 != "\\" && $0 != "=" && !isControl($0) }
        return isWord ? value : quoted(value)
    }

    /// C0, DEL and C1, and the marks that break lines or turn the direction of text.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1f, 0x7f...0x9f, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    private static func appendCode(_ scalar: Unicode.Scalar, to text: inout String) {
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    }
}
