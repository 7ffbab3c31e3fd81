import CarillonDomain
import Testing

@Suite("Allowed origins")
struct AllowedOriginsTests {
    @Test(
        "origins as browsers write them",
        arguments: [
            ("https://app.example", "https://app.example"), ("HTTPS://App.Example", "https://app.example"),
            ("http://localhost:5173", "http://localhost:5173"), ("https://a.example:443", "https://a.example"),
            ("http://a.example:80", "http://a.example"), ("http://a.example:443", "http://a.example:443"),
            ("http://10.0.0.1:1", "http://10.0.0.1:1"), ("http://a:65535", "http://a:65535"),
            ("http://[::1]:8080", "http://[::1]:8080"), ("http://[2001:DB8::1]", "http://[2001:db8::1]"),
            ("capacitor://localhost", "capacitor://localhost"), ("chrome-extension://abc", "chrome-extension://abc"),
            (" https://a , https://b ", "https://b"), ("https://a,https://b", "https://a"),
        ]
    )
    func allowed(text: String, origin: String) throws {
        let origins = try #require(AllowedOrigins(text))
        #expect(origins.answer(to: origin) == origin)
        #expect(origins.answer(to: origin + "x") == nil)
        #expect(origins.answer(to: "null") == nil)
        #expect(origins.answer(to: nil) == nil)
    }

    @Test("everybody")
    func any() {
        #expect(AllowedOrigins("*") == .any)
        #expect(AllowedOrigins.any.answer(to: "https://a") == "*")
        #expect(AllowedOrigins.any.answer(to: nil) == "*")
    }

    @Test(
        "nothing else",
        arguments: [
            "", ",", "https://a,", "a.example", "//a", "https:/a", "https://", "https://a/", "https://a/path",
            "https://a?q",
            "https://a#f", "https://u@a", "https://a:0", "https://a:080", "https://a:65536", "https://a:",
            "https://a:x",
            "https://a b", "https://ä", "1http://a", "://a", "*,https://a", "https://*", "https://*.a", "null",
            "http://[::1",
            "http://[]", "http://[g::1]", "http://[::1]x", "http://[::1]:0", "https://a\r\nx: y",
        ]
    )
    func refused(text: String) {
        #expect(AllowedOrigins(text) == nil)
    }
}
