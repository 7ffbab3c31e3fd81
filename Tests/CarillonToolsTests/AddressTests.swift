import NIOCore
import Testing

@testable import CarillonTools

@Suite struct AddressTests {
    @Test(arguments: [
        ("http://localhost:8080", "localhost:8080", "/ws?user_id=1", "/api/v1/notify"),
        ("ws://localhost:8080/ws", "localhost:8080", "/ws?user_id=1", "/api/v1/notify"),
        ("HTTPS://hub.example/", "hub.example", "/ws?user_id=1", "/api/v1/notify"),
        ("wss://hub.example:443/a/b/api/v1/notify/", "hub.example", "/a/b/ws?user_id=1", "/a/b/api/v1/notify"),
        ("http://[::1]:80?x=%20&user_id=7", "[::1]", "/ws?user_id=1&x=%20", "/api/v1/notify"),
        ("localhost:1", "localhost:1", "/ws?user_id=1", "/api/v1/notify"),
    ])
    func parts(_ text: String, _ authority: String, _ webSocket: String, _ notify: String) throws {
        let url = try ServerURL(text)
        #expect(url.authority == authority)
        #expect(url.webSocketPath([(name: "user_id", value: "1")]) == webSocket)
        #expect(url.notifyPath == notify)
    }

    @Test func schemes() throws {
        #expect(try ServerURL("wss://a").isSecure)
        #expect(try ServerURL("wss://a").port == 443)
        #expect(try !ServerURL("ws://a").isSecure)
        #expect(try ServerURL("ws://a").port == 80)
    }

    @Test(arguments: [
        "", "http://", "ftp://a", "http://a:0", "http://a:65536", "http://a:+1", "http://a:x", "http://u@a",
        "http://a#b",
        "http://a/\r\nX: y", "http://[::1", "http://[::1]x", "http://a b", "http://é",
    ])
    func refuses(text: String) {
        #expect(throws: UsageError.self) { try ServerURL(text) }
    }

    @Test func query() throws {
        let url = try ServerURL("http://a?login=b%40c+d&user_id")
        #expect(url.parameter("login") == "b@c d")
        #expect(url.parameter("user_id")?.isEmpty == true)
        #expect(url.parameter("none") == nil)
        #expect(url.webSocketPath([(name: "login", value: "ü&+")]) == "/ws?login=%C3%BC%26%2B&user_id")
    }

    @Test func userComesFromFlagThenAddressThenDefault() throws {
        let url = "http://a?user_id=5&login=eve"
        #expect(try ClientOptions(url: url, userID: nil, login: nil).userID == "5")
        #expect(try ClientOptions(url: url, userID: "6", login: nil).userID == "6")
        #expect(try ClientOptions(url: url, userID: "6", login: nil).login == "eve")
    }

    @Test func backoffGrowsToItsCap() {
        var backoff = Backoff(base: .milliseconds(500), cap: .seconds(20))
        var ceilings: [Int64] = []
        for _ in 0..<8 {
            let ceiling = backoff.ceiling
            ceilings.append(ceiling.nanoseconds / 1_000_000)
            #expect((TimeAmount.zero...ceiling).contains(backoff.next()))
        }
        #expect(ceilings == [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000])
        for _ in 0..<100 { _ = backoff.next() }
        #expect(backoff.ceiling == .seconds(20))
        backoff.reset()
        #expect(backoff.ceiling == .milliseconds(500))
    }

    @Test(
        arguments: [
            ("come back in 1200 ms", 1_200), ("retry-after=3s", 3_000), ("1500ms", 1_500), ("going away", nil),
            ("60 s", 60_000),
            ("61 s", nil), ("70000 ms", nil), ("", nil),
        ] as [(String, Int?)]
    )
    func comeBackHint(_ reason: String, _ milliseconds: Int?) {
        #expect(CloseReason.comeBackAfter(reason) == milliseconds.map { .milliseconds(Int64($0)) })
    }
}
