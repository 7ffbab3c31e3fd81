import CarillonDomain
import CarillonTools

/// A document read with the scanner alone, as a tree.
struct ScannedDocument {
    let value: JSONValue
    /// Some name stands twice in one object.
    private(set) var holdsRepeatedName = false
    /// Some number is beyond what a Double can be.
    private(set) var holdsHugeNumber = false
    /// Some text holds U+FEFF.
    private(set) var holdsByteOrderMark = false

    /// Nil where the scanner refuses it.
    static func read(_ bytes: UnsafeRawBufferPointer, depth: Int = Limits.jsonDepth) -> ScannedDocument? {
        var scanner = JSONScanner(bytes)
        scanner.skipSpace()
        guard let root = try? scanner.value(depth: depth), (try? scanner.end()) != nil else { return nil }
        return ScannedDocument(root, JSONScanner(bytes))
    }

    private init(_ root: JSONScanner.Value, _ scanner: JSONScanner) {
        var reader = Reader(scanner: scanner)
        value = reader.read(root)
        holdsRepeatedName = reader.holdsRepeatedName
        holdsHugeNumber = reader.holdsHugeNumber
        holdsByteOrderMark = reader.holdsByteOrderMark
    }

    /// Reads what is known to be a document.
    private struct Reader {
        let scanner: JSONScanner
        var holdsRepeatedName = false
        var holdsHugeNumber = false
        var holdsByteOrderMark = false

        mutating func read(_ value: JSONScanner.Value) -> JSONValue {
            switch value.kind {
            case .object: return object(value.range)
            case .array: return .array(scanner.elements(of: value.range).map { read($0) })
            case .string:
                guard let text = value.text else { fatalError("a string without text") }
                return .string(string(text))
            case .number:
                let digits = String(decoding: scanner.bytes[value.range], as: UTF8.self)
                if Double(digits)?.isFinite != true { holdsHugeNumber = true }
                return .number(digits)
            case .bool: return .bool(scanner.bytes[value.range.lowerBound] == UInt8(ascii: "t"))
            case .null: return .null
            }
        }

        private mutating func object(_ range: Range<Int>) -> JSONValue {
            var members: [JSONValue.Member] = []
            var inner = scanner
            inner.move(to: range.lowerBound)
            var found: [(JSONScanner.Text, JSONScanner.Value)] = []
            try? inner.object { (scanner, name) throws(JSONScanner.Malformed) in
                found.append((name, try scanner.value(depth: .max)))
            }
            for (name, value) in found { members.append(JSONValue.Member(name: string(name), value: read(value))) }
            if Set(members.map(\.name)).count < members.count { holdsRepeatedName = true }
            return .object(members)
        }

        private mutating func string(_ text: JSONScanner.Text) -> String {
            let string = scanner.string(text)
            precondition(string.utf8.count == text.decodedBytes, "a text of another length than was said")
            if string.unicodeScalars.contains("\u{feff}") { holdsByteOrderMark = true }
            return string
        }
    }
}
