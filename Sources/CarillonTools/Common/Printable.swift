/// Text from elsewhere made safe for a terminal.
package enum Printable {
    private static let hexDigits = Array("0123456789abcdef")

    /// `text` with everything that could drive a terminal or reorder a line shown as an escape.
    ///
    /// That is: C0 and C1 controls and DEL, the separators that end lines, and the marks that turn the direction of
    /// writing (which can make a line read as something else).
    package static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var safe = ""
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar) { safe += escape(scalar) } else { safe.unicodeScalars.append(scalar) }
        }
        return safe
    }

    static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let value = Int(scalar.value)
            let digits = [12, 8, 4, 0].map { hexDigits[value >> $0 & 15] }
            return "\\u" + String(digits)
        }
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1f, 0x7f...0x9f, 0x061c, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
