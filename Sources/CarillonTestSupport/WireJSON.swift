/// A JSON document as the tests compare it: numbers keep their text, because ids above 2^53 must not pass a Double.
///
/// Compare strings by their `utf8` where the exact bytes matter: `String ==` takes canonically equivalent text for equal.
/// - Source: RFC 8259
package enum WireJSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([WireJSON])
    case object([String: WireJSON])

    package subscript(_ member: String) -> WireJSON? {
        if case .object(let members) = self { members[member] } else { nil }
    }

    package subscript(_ index: Int) -> WireJSON? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number as it was written.
    package var numberText: String? {
        if case .number(let text) = self { text } else { nil }
    }

    package var int: Int? { numberText.flatMap { Int($0) } }

    package var array: [WireJSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var object: [String: WireJSON]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// - Throws: `WireError.unexpected` for anything but one strict JSON document without repeated members.
    package static func parse(_ bytes: some Sequence<UInt8>) throws -> WireJSON {
        var parser = JSONParser(bytes: Array(bytes))
        return try parser.document()
    }

    package static func parse(_ text: String) throws -> WireJSON {
        try parse(Array(text.utf8))
    }

    /// A JSON string literal for the text.
    package static func quoted(_ text: String) -> String {
        var literal = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": literal += "\\\""
            case "\\": literal += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "\""
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws -> WireJSON {
        let value = try value()
        skipSpace()
        guard index == bytes.count else { throw failure("bytes after the document") }
        return value
    }

    private func failure(_ what: String) -> WireError {
        .unexpected("not JSON (\(what) at byte \(index)): \(String(decoding: bytes.prefix(500), as: UTF8.self))")
    }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[index]) { index += 1 }
    }

    private mutating func next() throws -> UInt8 {
        guard index < bytes.count else { throw failure("end") }
        defer { index += 1 }
        return bytes[index]
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func value() throws -> WireJSON {
        skipSpace()
        guard index < bytes.count else { throw failure("end") }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: WireJSON) throws -> WireJSON {
        guard bytes[index...].starts(with: word.utf8) else { throw failure("word") }
        index += word.utf8.count
        return value
    }

    private mutating func number() throws -> WireJSON {
        let start = index
        while index < bytes.count, "+-.eE0123456789".utf8.contains(bytes[index]) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        guard text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/) != nil else {
            throw failure("number")
        }
        return .number(text)
    }

    private mutating func array() throws -> WireJSON {
        index += 1
        var elements: [WireJSON] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat { elements.append(try value()) } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw failure("array") }
        return .array(elements)
    }

    private mutating func object() throws -> WireJSON {
        index += 1
        var members: [String: WireJSON] = [:]
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw failure("member name") }
            let name = try string()
            guard take(UInt8(ascii: ":")) else { throw failure("colon") }
            guard members.updateValue(try value(), forKey: name) == nil else { throw failure("repeated member") }
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw failure("object") }
        return .object(members)
    }

    private mutating func string() throws -> String {
        index += 1
        var text: [UInt8] = []
        while true {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw failure("UTF-8") }
                return string
            case UInt8(ascii: "\\"): try escape(&text)
            case ..<0x20: throw failure("control character")
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(_ text: inout [UInt8]) throws {
        switch try next() {
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "u"):
            var value = try hexadecimal()
            if (0xd800...0xdbff).contains(value) {
                guard try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else {
                    throw failure("surrogate")
                }
                let low = try hexadecimal()
                guard (0xdc00...0xdfff).contains(low) else { throw failure("surrogate") }
                value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(value) else { throw failure("surrogate") }
            text += Array(String(Character(scalar)).utf8)
        case let byte where "\"\\/".utf8.contains(byte): text.append(byte)
        default: throw failure("escape")
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try next())).hexDigitValue else { throw failure("hex digit") }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
