import Testing

@testable import CarillonTools

@Suite struct JSONTests {
    private func parse(_ text: String) throws(JSONSyntaxError) -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test(arguments: [
        #"{"id":9223372036854775807,"x":[1,-0,1.50,1E+400,true,false,null,"é\n\u0001\"\\"]}"#,
        "[]", "{}", #""""#, "0", "123456789012345678901234567890",
    ])
    func comesOutAsItWentIn(text: String) throws {
        #expect(try parse(text).text == text)
    }

    @Test func takesSpaceAndEscapes() throws {
        #expect(try parse(" { \"a\" : [ 1 , 2 ] }\r\n\t").text == #"{"a":[1,2]}"#)
        #expect(try parse(#""\ud83d\ude00\u00e9\/\b\f\r\t""#).string == "😀é/\u{8}\u{c}\r\t")
        #expect(try parse(#""\ud83dx\ude00\ud83d\u0041""#).string == "\u{fffd}x\u{fffd}\u{fffd}A")
        #expect(try parse(#"{"a":1,"a":2}"#)["a"]?.scalar == "2")
    }

    @Test(arguments: [
        "", " ", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "01", "-", "1.", "1e", "+1", ".5",
        "tru",
        "truex", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"\n\"", "1 2", "{}{}", "NaN", "\u{feff}1",
        "\"\\ud83d\\u12\"",
    ])
    func refuses(text: String) {
        #expect(throws: JSONSyntaxError.self) { try parse(text) }
    }

    @Test func refusesBrokenUTF8() {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xc3, 0x22]) }
    }

    @Test func depthHasALimit() throws {
        for depth in [127, 128] {
            _ = try parse(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        }
        #expect(throws: JSONSyntaxError.self) {
            try parse(String(repeating: "[", count: 129) + String(repeating: "]", count: 129))
        }
    }

    @Test func quotesControlCharacters() {
        #expect(JSONValue.quoted("a\"\\\n\t\u{1b}é") == #""a\"\\\n\t\u001bé""#)
    }

    @Test func linesForATerminal() {
        #expect(Printable.line("plain é 😀") == "plain é 😀")
        #expect(Printable.line("\u{1b}[2J\r\n\t\u{7}\u{7f}\u{9b}31m") == #"\u001b[2J\r\n\t\u0007\u007f\u009b31m"#)
        #expect(Printable.line("a\u{202e}b\u{2066}c\u{2028}d") == #"a\u202eb\u2066c\u2028d"#)
        #expect(Printable.line("\r\n") == #"\r\n"#, "one character of Swift, two for a terminal")
    }
}
