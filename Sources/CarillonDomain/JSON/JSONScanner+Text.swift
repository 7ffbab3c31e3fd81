/// Reading what spans hold.
extension JSONScanner {
    /// Whether `text`, unescaped, equals `word` (ASCII).
    package func equals(_ text: Text, _ word: StaticString) -> Bool {
        if text.hasEscapes { return string(text) == "\(word)" }
        guard text.range.count == word.utf8CodeUnitCount else { return false }
        for (offset, index) in text.range.enumerated() where bytes[index] != word.utf8Start[offset] { return false }
        return true
    }

    /// `text` unescaped, as a String.
    package func string(_ text: Text) -> String {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[text.range])
        guard text.hasEscapes else { return String(decoding: raw, as: UTF8.self) }
        var units: [UInt16] = []
        var scalars = String.UnicodeScalarView()
        func flush() {
            scalars.append(contentsOf: String(decoding: units, as: UTF16.self).unicodeScalars)
            units.removeAll()
        }
        var plain: [UInt8] = []
        func flushPlain() {
            scalars.append(contentsOf: String(decoding: plain, as: UTF8.self).unicodeScalars)
            plain.removeAll()
        }
        var index = 0
        while index < raw.count {
            guard raw[index] == UInt8(ascii: "\\") else {
                flush()
                plain.append(raw[index])
                index += 1
                continue
            }
            flushPlain()
            index += 1
            switch raw[index] {
            case UInt8(ascii: "u"):
                let unit = raw[(index + 1)..<(index + 5)].reduce(UInt32(0)) { $0 << 4 | (Self.hexDigit($1) ?? 0) }
                units.append(UInt16(truncatingIfNeeded: unit))
                index += 5
            case let escaped:
                flush()
                plain.append(Self.plain(escaped))
                index += 1
            }
        }
        flush()
        flushPlain()
        return String(scalars)
    }

    /// The integer that a number's span holds; nil where it has a fraction, an exponent, a sign or is above 2^63-1.
    package func natural(_ range: Range<Int>) -> Int64? {
        var value: Int64 = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    private static func plain(_ escaped: UInt8) -> UInt8 {
        switch escaped {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0c
        case UInt8(ascii: "n"): 0x0a
        case UInt8(ascii: "r"): 0x0d
        case UInt8(ascii: "t"): 0x09
        default: escaped
        }
    }
}
