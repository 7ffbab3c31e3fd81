import CarillonDomain
import Testing

/// The reason why a text is no JSON document; nil where it is one.
func rejection(_ bytes: [UInt8], depth: Int = Limits.jsonDepth) -> String? {
    bytes.withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        do throws(JSONScanner.Malformed) {
            scanner.skipSpace()
            _ = try scanner.value(depth: depth)
            try scanner.end()
            return nil
        } catch {
            return error.reason
        }
    }
}

func rejection(_ text: String) -> String? { rejection(Array(text.utf8)) }

/// What the string that `document` consists of holds.
func text(in document: String) throws -> (string: String, decodedBytes: Int, hasEscapes: Bool)? {
    let bytes = Array(document.utf8)
    return try bytes.withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        guard let text = try scanner.value().text else { return nil }
        return (scanner.string(text), text.decodedBytes, text.hasEscapes)
    }
}

@Suite struct JSONScannerTests {
    @Test(arguments: [
        "{}", "[]", "\"\"", "0", "-0", "1", "10", "-12.5e+3", "0.0", "0e0", "0E-0", "1e999",
        "123456789012345678901234567890",
        "true", "false", "null", " \t\r\n[ \t\r\n1 , 2 ] \t\r\n", "{\"a\":1,\"a\":2}", "{\"\":{\"\":[[],{}]}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFFFF\\ud83d\\ude00\"", "\"\u{7f}\u{80}é€😀\u{10ffff}\"", "\"\u{feff}\"",
    ])
    func valid(document: String) {
        #expect(rejection(document) == nil)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "]", ",", ":", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{,}", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}", "{'a':1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\" 1}", "[1}", "{\"a\":1]", "01", "-", "-01", "+1", ".5",
        "1.",
        "1.e1", "1e", "1e+", "0x1", "1_0", "Infinity", "NaN", "-Infinity", "tru", "True", "truee", "nul", "nulll",
        "fals",
        "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u 123\"", "\"\\'\"", "'a'", "1 2", "{} {}", "[]x",
        "// c\n1", "[1] // c", "\u{feff}1", "\u{a0}1", "\u{b}1", "\u{c}1", "1\u{0}",
    ])
    func invalid(document: String) {
        #expect(rejection(document) != nil)
    }

    @Test(arguments: [
        ("\"\\ud800\"", false), ("\"\\udbff\"", false), ("\"\\udc00\"", false), ("\"\\udfff\"", false),
        ("\"\\ud800\\ud800\"", false), ("\"\\ud800x\"", false), ("\"\\ud800\\n\"", false),
        ("\"\\ud800\\u0041\"", false),
        ("\"\\udc00\\ud800\"", false), ("\"\\ud800\\udc0\"", false), ("\"\\ud800\\\"", false),
        ("\"\\ud800\\udc00\"", true),
        ("\"\\uDBFF\\uDFFF\"", true), ("\"\\ud7ff\\ue000\"", true),
    ])
    func surrogates(document: String, isValid: Bool) {
        #expect((rejection(document) == nil) == isValid)
    }

    @Test(arguments: [UInt8](0..<0x20))
    func controlCharactersMustBeEscaped(byte: UInt8) {
        #expect(rejection([0x22, byte, 0x22]) == "a control character must be escaped")
        #expect(rejection("\"\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))\"") == nil)
    }

    @Test(
        arguments: [
            [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x22], [0xc2, 0xc0], [0xe0, 0x80, 0x80],
            [0xe0, 0x9f, 0xbf],
            [0xe1, 0x80], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xef, 0xbf], [0xf0, 0x80, 0x80, 0x80],
            [0xf0, 0x8f, 0xbf, 0xbf],
            [0xf1, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xfe], [0xff],
            [0xf8, 0x88, 0x80, 0x80, 0x80],
        ] as [[UInt8]]
    )
    func illFormedUTF8(bytes: [UInt8]) {
        #expect(rejection([0x22] + bytes + [0x22]) == "invalid UTF-8")
        // Outside a string nothing but ASCII is JSON.
        #expect(rejection([0x5b] + bytes + [0x5d]) != nil)
    }

    @Test(
        arguments: [
            [0xc2, 0x80], [0xdf, 0xbf], [0xe0, 0xa0, 0x80], [0xed, 0x9f, 0xbf], [0xee, 0x80, 0x80], [0xef, 0xbf, 0xbf],
            [0xf0, 0x90, 0x80, 0x80], [0xf4, 0x8f, 0xbf, 0xbf],
        ] as [[UInt8]]
    )
    func wellFormedUTF8(bytes: [UInt8]) {
        #expect(rejection([0x22] + bytes + [0x22]) == nil)
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func depth(open: String, close: String) {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        #expect(rejection(nested(Limits.jsonDepth - 1)) == nil)
        #expect(rejection(nested(Limits.jsonDepth)) == nil)
        #expect(rejection(nested(Limits.jsonDepth + 1)) == "nested too deeply")
        #expect(rejection(String(repeating: open, count: 500_000)) == "nested too deeply")
        #expect(rejection(Array("1".utf8), depth: 0) == nil)
        #expect(rejection(Array("[]".utf8), depth: 0) == "nested too deeply")
        #expect(rejection(Array("[[],{}]".utf8), depth: 2) == nil)
    }

    @Test(arguments: [
        ("\"\"", "", false), ("\"abc\"", "abc", false), ("\"é😀\"", "é😀", false), ("\"\\u0041\"", "A", true),
        ("\"\\u00e9\"", "é", true), ("\"\\u20AC\"", "€", true), ("\"\\ud83d\\ude00\"", "😀", true),
        ("\"a\\ud83d\\ude00b\\u0301\"", "a😀b\u{301}", true), ("\"\\u0065\\u0301\"", "e\u{301}", true),
        ("\"é\\u00e9é\"", "ééé", true), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{c}\n\r\t", true),
        ("\"\\u0000\"", "\u{0}", true), ("\"😀\\ud83d\\ude00\\ud83d\\ude01x\"", "😀😀😁x", true),
    ])
    func strings(document: String, string: String, hasEscapes: Bool) throws {
        let found = try #require(try text(in: document))
        #expect(Array(found.string.unicodeScalars) == Array(string.unicodeScalars))
        #expect(found.decodedBytes == string.utf8.count)
        #expect(found.hasEscapes == hasEscapes)
    }

    @Test func spansAreThoseOfTheInput() throws {
        let document = " {\"a\" : [1, \"x\"] , \"b\":-1.5e3 } "
        let bytes = Array(document.utf8)
        var spans: [String: String] = [:]
        try bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            scanner.skipSpace()
            try scanner.object { (scanner, name) throws(JSONScanner.Malformed) in
                let value = try scanner.value()
                spans[scanner.string(name)] = String(decoding: bytes[value.range], as: UTF8.self)
            }
            try scanner.end()
        }
        #expect(spans == ["a": "[1, \"x\"]", "b": "-1.5e3"])
    }

    @Test(
        arguments: [
            ("0", 0), ("7", 7), ("9223372036854775807", .max), ("9223372036854775808", nil),
            ("18446744073709551616", nil),
            ("-1", nil), ("-0", nil), ("1.0", nil), ("1e3", nil), ("1E0", nil),
        ] as [(String, Int64?)]
    )
    func naturals(number: String, value: Int64?) {
        let bytes = Array(number.utf8)
        bytes.withUnsafeBytes { #expect(JSONScanner($0).natural(0..<$0.count) == value) }
    }

    @Test(arguments: ["type", "\\u0074ype", "typ\\u0065", "\\u0074\\u0079\\u0070\\u0065"])
    func namesAreComparedUnescaped(name: String) throws {
        let bytes = Array("\"\(name)\"".utf8)
        try bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes)
            let text = try scanner.string()
            #expect(scanner.equals(text, "type"))
            #expect(!scanner.equals(text, "typ"))
            #expect(!scanner.equals(text, "types"))
            #expect(!scanner.equals(text, "Type"))
        }
    }

    @Test func quotedTextIsWhatTheScannerReads() throws {
        for scalar in (0..<0x3000).compactMap(Unicode.Scalar.init) {
            let string = "a\(scalar)b"
            let found = try #require(try text(in: JSON.quoted(string)))
            #expect(found.string == string)
        }
        #expect(JSON.quoted("a\"b\\c\n\u{1}\u{1f}é") == "\"a\\\"b\\\\c\\n\\u0001\\u001fé\"")
    }

    @Test(arguments: [
        ("{\"a\":[1,null,\"x\"]} ", true), ("\"x\"", true), (" 1.5e3", true), ("", false), ("{", false),
        ("not json", false),
        ("{} {}", false), ("\"\u{1}\"", false), ("{\"a\":01}", false),
    ])
    func oneValue(text: String, isValue: Bool) {
        #expect(JSON.isValue(text) == isValue)
    }
}
