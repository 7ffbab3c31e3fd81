import CarillonTestSupport

/// Requests to notify that are nearly usual: each begins as a good one, and is changed in no, one or a few places.
struct RequestMutator {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private static let usual = [
        "Host: a.example", "Content-Type: application/json", "Content-Length: 19", "Accept: */*",
        "User-Agent: test/1.0",
        "Connection: keep-alive", "Idempotency-Key: \"8e03978e\"", "X-Request-ID: 1", "X-Empty:",
    ]

    /// What two parsers may understand in two ways.
    private static let doubtful = [
        "Content-Length: 19", "Content-Length: 3", "Content-Length: +19", "Content-Length: 019",
        "Content-Length: 19, 19",
        "Content-Length: 1 9", "Content-Length: 0x13", "Content-Length:", "Content-Length : 19", "content-length:\t19",
        "Content-Length: 64", "Content-Length: 65", "Content-Length: 0", "Content-Length: 18446744073709551635",
        "Transfer-Encoding: chunked", "Transfer-Encoding: identity", "transfer-encoding:chunked",
        "Transfer-Encoding : chunked", "Transfer-Encoding:\u{b}chunked", "Transfer-Encoding: x, chunked",
        "TE: trailers", "Trailer: X", "Expect: 100-continue", "Upgrade: websocket", "Connection: upgrade",
        "Connection: close", "Connection: close, te", "Connection: Transfer-Encoding", "Host: b.example",
        " Folded: 1", "\tFolded: 1", "X-Cut\rContent-Length: 3", "X-Null: a\0b", "X-Bell: \u{7}", "X-Umlaut: ü", ": 1",
        "No colon", "X Y: 1", "X(Y): 1", "X-Colons: a:b:c", "Content_Length: 3", "Content-Encoding: gzip",
        "Keep-Alive: timeout=5", "Proxy-Connection: close", "HTTP2-Settings: AAMAAABk", "Content-Type: text/plain",
    ]

    private static let bytes = Array("\r\n\t\0 :,;\"\u{7f}0199aZ+-_".utf8) + [0x80, 0x85, 0xa0, 0xff]

    mutating func request() -> [UInt8] {
        var lines = Self.usual[..<3] + Self.usual[3...].filter { _ in Bool.random(using: &random) }
        lines.shuffle(using: &random)
        if oneIn(3) {
            lines.insert(
                Self.doubtful.randomElement(using: &random)!,
                at: Int.random(in: 0...lines.count, using: &random)
            )
        }
        if oneIn(6) { lines.remove(at: Int.random(in: 0..<lines.count, using: &random)) }
        let text =
            "POST /api/v1/notify HTTP/1.1\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n{\"message\":\"hello\"}"
        var request = Array(text.utf8)
        while oneIn(3) { mutate(&request) }
        return request
    }

    private mutating func mutate(_ request: inout [UInt8]) {
        // Mostly past the request line, which has but one form.
        let place = Int.random(in: (oneIn(8) ? 0 : 30)..<request.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: request[place] = Self.bytes.randomElement(using: &random)!
        case 1: request.insert(Self.bytes.randomElement(using: &random)!, at: place)
        case 2: request.remove(at: place)
        case 3: request[place] ^= 0x20
        default:
            let end = min(request.count, place + Int.random(in: 1...30, using: &random))
            request.insert(contentsOf: request[place..<end], at: place)
        }
    }

    private mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }
}
