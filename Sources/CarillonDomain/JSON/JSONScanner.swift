/// A strict, forward-only reader of JSON text (RFC 8259) that yields spans of the input instead of values.
///
/// Nothing is copied and nothing is allocated: a caller that wants a member's text takes its span and splices it, still
/// escaped, into what it writes. Whatever the scanner has passed over is known to be valid JSON and valid UTF-8: no control
/// characters in strings, no lone surrogates, no numbers with leading zeros, no trailing commas.
///
/// - Cost: no allocation; about 1 ns per byte.
package struct JSONScanner {
    package let bytes: UnsafeRawBufferPointer
    package private(set) var index: Int

    /// Where and why a text is not JSON.
    package struct Malformed: Error, Sendable {
        package let reason: String
        package let offset: Int
    }

    package enum Kind: Sendable {
        case object
        case array
        case string
        case number
        case bool
        case null
    }

    /// A string in the input: its range without the quotes, and what it would be once unescaped.
    package struct Text: Sendable {
        package let range: Range<Int>
        package let hasEscapes: Bool
        /// Bytes of UTF-8 after unescaping.
        package let decodedBytes: Int
    }

    /// A value in the input.
    package struct Value: Sendable {
        package let kind: Kind
        /// The whole value, quotes or brackets included.
        package let range: Range<Int>
        /// What a string holds.
        package let text: Text?
    }

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.index = 0
    }

    // MARK: - Structure

    /// Calls `member` for each member of the object at the current position; `member` must consume the value.
    package mutating func object(
        _ member: (inout JSONScanner, Text) throws(Malformed) -> Void
    ) throws(Malformed) {
        try expect(UInt8(ascii: "{"), "expected an object")
        skipSpace()
        if consume(UInt8(ascii: "}")) { return }
        repeat {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw malformed("expected a member name") }
            let name = try string()
            skipSpace()
            try expect(UInt8(ascii: ":"), "expected a colon")
            skipSpace()
            try member(&self, name)
            skipSpace()
        } while consume(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"), "expected a comma or the end of the object")
    }

    /// Calls `element` for each element of the array at the current position; `element` must consume the value.
    package mutating func array(
        _ element: (inout JSONScanner, Int) throws(Malformed) -> Void
    ) throws(Malformed) {
        try expect(UInt8(ascii: "["), "expected an array")
        skipSpace()
        if consume(UInt8(ascii: "]")) { return }
        var position = 0
        repeat {
            skipSpace()
            try element(&self, position)
            position += 1
            skipSpace()
        } while consume(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"), "expected a comma or the end of the array")
    }

    /// Passes over one value of any kind.
    ///
    /// - Parameter depth: Arrays and objects that may still be opened.
    package mutating func value(depth: Int = Limits.jsonDepth) throws(Malformed) -> Value {
        let start = index
        switch peek() {
        case UInt8(ascii: "\""):
            let text = try string()
            return Value(kind: .string, range: start..<index, text: text)
        case UInt8(ascii: "{"):
            guard depth > 0 else { throw malformed("nested too deeply") }
            try object { (scanner, _) throws(Malformed) in _ = try scanner.value(depth: depth - 1) }
            return Value(kind: .object, range: start..<index, text: nil)
        case UInt8(ascii: "["):
            guard depth > 0 else { throw malformed("nested too deeply") }
            try array { (scanner, _) throws(Malformed) in _ = try scanner.value(depth: depth - 1) }
            return Value(kind: .array, range: start..<index, text: nil)
        case UInt8(ascii: "t"):
            try literal("true")
            return Value(kind: .bool, range: start..<index, text: nil)
        case UInt8(ascii: "f"):
            try literal("false")
            return Value(kind: .bool, range: start..<index, text: nil)
        case UInt8(ascii: "n"):
            try literal("null")
            return Value(kind: .null, range: start..<index, text: nil)
        default:
            try number()
            return Value(kind: .number, range: start..<index, text: nil)
        }
    }

    /// Passes over white space and makes sure that nothing follows.
    package mutating func end() throws(Malformed) {
        skipSpace()
        guard index == bytes.count else { throw malformed("unexpected text after the document") }
    }

    package mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x0a, 0x0d, 0x09: index += 1
            default: return
            }
        }
    }

    /// Continues at another place, for a second look at a value whose range is known.
    package mutating func move(to index: Int) { self.index = index }

    package func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    package func malformed(_ reason: String) -> Malformed { Malformed(reason: reason, offset: index) }

    // MARK: - Leaves

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ byte: UInt8, _ reason: String) throws(Malformed) {
        guard consume(byte) else { throw malformed(reason) }
    }

    private mutating func literal(_ word: StaticString) throws(Malformed) {
        let length = word.utf8CodeUnitCount
        guard bytes.count - index >= length else { throw malformed("unexpected end") }
        for offset in 0..<length where bytes[index + offset] != word.utf8Start[offset] {
            throw malformed("expected a value")
        }
        index += length
    }

    private mutating func digits() throws(Malformed) {
        let start = index
        while index < bytes.count, bytes[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
        guard index > start else { throw malformed("expected a value") }
    }

    private mutating func number() throws(Malformed) {
        _ = consume(UInt8(ascii: "-"))
        if !consume(UInt8(ascii: "0")) { try digits() }
        if consume(UInt8(ascii: ".")) { try digits() }
        if consume(UInt8(ascii: "e")) || consume(UInt8(ascii: "E")) {
            if !consume(UInt8(ascii: "+")) { _ = consume(UInt8(ascii: "-")) }
            try digits()
        }
    }

    /// Passes over a string, checking escapes and UTF-8.
    package mutating func string() throws(Malformed) -> Text {
        index += 1
        let start = index
        var decoded = 0
        var hasEscapes = false
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                let text = Text(range: start..<index, hasEscapes: hasEscapes, decodedBytes: decoded)
                index += 1
                return text
            case UInt8(ascii: "\\"):
                hasEscapes = true
                decoded += try escape()
            case 0x20..<0x80:
                decoded += 1
                index += 1
            case 0x80...:
                let length = UTF8Sequence.length(in: bytes, at: index)
                guard length > 0 else { throw malformed("invalid UTF-8") }
                decoded += length
                index += length
            default:
                throw malformed("a control character must be escaped")
            }
        }
        throw malformed("the string does not end")
    }

    /// Passes over an escape and returns the length of what it stands for.
    private mutating func escape() throws(Malformed) -> Int {
        index += 1
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 1
            return 1
        case UInt8(ascii: "u"):
            let unit = try hexUnit()
            switch unit {
            case 0..<0x80: return 1
            case 0x80..<0x800: return 2
            case 0xd800..<0xdc00:
                guard peek() == UInt8(ascii: "\\") else { throw malformed("a lone surrogate") }
                index += 1
                guard peek() == UInt8(ascii: "u") else { throw malformed("a lone surrogate") }
                guard (0xdc00..<0xe000).contains(try hexUnit()) else { throw malformed("a lone surrogate") }
                return 4
            case 0xdc00..<0xe000: throw malformed("a lone surrogate")
            default: return 3
            }
        default:
            throw malformed("an unknown escape")
        }
    }

    private mutating func hexUnit() throws(Malformed) -> UInt32 {
        index += 1
        guard bytes.count - index >= 4 else { throw malformed("the string does not end") }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Self.hexDigit(bytes[index]) else { throw malformed("expected four hex digits") }
            unit = unit << 4 | digit
            index += 1
        }
        return unit
    }

    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
