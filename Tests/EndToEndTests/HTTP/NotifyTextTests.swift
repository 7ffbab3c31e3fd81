import CarillonTestSupport
import Testing

/// What `message` may hold, from the request's bytes to the device's.
@Suite("Notify: text", .pod())
struct NotifyTextTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// Sends a JSON string literal as the message. - Returns: the bytes that the device and Redis got.
    private func delivered(_ literal: String) async throws -> (push: [UInt8], stored: [UInt8]) {
        let user = TestUser()
        let device = try await pod.device(user)
        let answer = try await pod.post("{\"target\":[\(user.json)],\"message\":\(literal)}")
        try #require(answer.status == 202, "\(answer.text)")
        let push = try await device.push()
        let id = try #require(push["notification_id"]?.string)
        let payload = try WireJSON.parse(try #require(try await pod.redis("GET", "notification:\(id)").string))
        return (Array(push["message"]?.string?.utf8 ?? "".utf8), Array(payload["message"]?.string?.utf8 ?? "".utf8))
    }

    static let literals: [(String, String)] = [
        (#""plain""#, "plain"),
        (#""😀 👩‍👩‍👧‍👦 🇩🇪""#, "😀 👩‍👩‍👧‍👦 🇩🇪"),
        ("\"e\u{301} and \u{e9}\"", "e\u{301} and \u{e9}"),
        (#""\u0041\ud83d\ude00""#, "A\u{1f600}"),
        (#""\uD83D\uDE00\u00e9\u20AC""#, "\u{1f600}é€"),
        (#""a\u0000b""#, "a\0b"),
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        ("\"\u{7f}\u{80}\u{2028}\u{2029}\u{feff}\"", "\u{7f}\u{80}\u{2028}\u{2029}\u{feff}"),
        (#""\uffff\ufffe""#, "\u{ffff}\u{fffe}"),
        ("\"\u{10ffff}\"", "\u{10ffff}"),
        (#""</script><b>&amp;""#, "</script><b>&amp;"),
        ("\"مرحبا שלום\"", "مرحبا שלום"),
        (#"" ""#, " "),
    ]

    @Test("text arrives as it was meant", arguments: literals)
    func text(literal: String, meant: String) async throws {
        let (push, stored) = try await delivered(literal)
        #expect(push == Array(meant.utf8))
        #expect(stored == Array(meant.utf8))
    }

    @Test("a limit counts the bytes of the text, not of its escapes")
    func escapesCountOnce() async throws {
        let literal = "\"" + String(repeating: "\\u0041", count: 100_000) + "\""
        #expect(try await delivered(literal).push.count == 100_000)
    }

    @Test(
        "text that is not Unicode is malformed",
        arguments: [
            #""\ud800""#, #""\udc00""#, #""\ud83dx""#, #""\ud83d\u0041""#, #""\ude00\ud83d""#, #""\u12""#, #""\u12G4""#,
            #""\x41""#, "\"\n\"", "\"\t\"", "\"\0\"", "\"open",
        ]
    )
    func malformedText(literal: String) async throws {
        let user = TestUser()
        let answer = try await pod.post("{\"target\":[\(user.json)],\"message\":\(literal)}")
        #expect(answer.status == 400)
        #expect(try await pod.redis("EXISTS", user.stream) == .integer(0))
    }

    static let badBytes: [[UInt8]] = [
        [0xff], [0xc0, 0xaf], [0x80], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf],
        [0xf0, 0x80, 0x80, 0xaf],
        [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0xaf],
    ]

    @Test("bytes that are not UTF-8 are malformed", arguments: badBytes)
    func badUTF8(bytes: [UInt8]) async throws {
        let user = TestUser()
        let front = Array("{\"target\":[\(user.json)],\"message\":\"a".utf8)
        let answer = try await pod.post(front + bytes + Array("z\"}".utf8))
        #expect(answer.status == 400)
        #expect(try await pod.redis("EXISTS", user.stream) == .integer(0))
    }

    @Test("bytes that are not UTF-8 are malformed in ignored members too")
    func badUTF8Elsewhere() async throws {
        let front = Array("{\"target\":[\(TestUser().json)],\"message\":\"m\",\"ignored\":\"".utf8)
        #expect(try await pod.post(front + [0xff] + Array("\"}".utf8)).status == 400)
    }

    @Test(
        "malformed JSON is refused",
        arguments: [
            "", " ", "{", "}", "{]", "not json", "{\"target\":[}", "{'target':[]}", "{\"a\":1,}", "{\"a\":01}",
            "{\"a\":.5}",
            "{\"a\":1.}", "{\"a\":+1}", "{\"a\":NaN}", "{\"a\":tru}", "{\"a\" 1}", "{\"a\":1}{}", "{\"a\":1} x",
            "{\"a\":[1 2]}",
            "{a:1}", "// c\n{}", "{\"a\":1e}",
        ]
    )
    func malformedJSON(body: String) async throws {
        let answer = try await pod.post(body)
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer["Content-Type"]?.hasPrefix("application/problem+json") == true)
        #expect(try answer.json["status_code"] == .number("400"))
    }

    @Test("a document nested without end is refused and the server lives on", arguments: ["[", "{\"a\":"])
    func deepNesting(opening: String) async throws {
        let nested = String(repeating: opening, count: 100_000)
        let answer = try await pod.post("{\"target\":[\(TestUser().json)],\"message\":\"m\",\"deep\":\(nested)")
        #expect((400...499).contains(answer.status))
        #expect(try await pod.get("/live").status == 200)
    }

    @Test("whitespace of all four kinds is allowed around everything")
    func whitespace() async throws {
        let user = TestUser()
        let body =
            "\r\n\t {\n\"target\" : [ { \"id\"\t:\(user.id) ,\r\"login\": \"user\" } ] , \"message\" : \"m\" } \r\n"
        #expect(try await pod.post(body).status == 202)
    }

    @Test("escaped member names are the same names")
    func escapedNames() async throws {
        let user = TestUser()
        let body = "{\"t\\u0061rget\":[{\"\\u0069d\":\(user.id),\"login\":\"\\u0075ser\"}],\"mess\\u0061ge\":\"m\"}"
        #expect(try await pod.post(body).status == 202)
        #expect(try await pod.redis("XLEN", user.stream) == .integer(1))
    }
}
