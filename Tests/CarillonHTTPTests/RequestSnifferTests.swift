import Testing

@testable import CarillonHTTP

@Suite struct RequestSnifferTests {
    private static let line = "POST /api/v1/notify HTTP/1.1\r\n"
    private static let usual = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"

    private func verdict(_ text: String, bodyLimit: Int = 100, leavesOrigins: Bool = false) -> RequestVerdict {
        var sniffer = RequestSniffer()
        return Array(text.utf8).withUnsafeBytes {
            sniffer.examine($0, bodyLimit: bodyLimit, leavesOrigins: leavesOrigins)
        }
    }

    private func head(_ fields: String, bodyLimit: Int = 100) -> NotifyHead? {
        if case .notify(let head) = verdict(Self.line + fields + "\r\n", bodyLimit: bodyLimit) { head } else { nil }
    }

    @Test(arguments: [
        "",
        "Accept: */*\r\nUser-Agent: curl/8\r\n",
        "X-Empty:\r\n",
        "X-Spaces:   a b   \r\n",
        "Connection: Keep-Alive\r\n",
        "x!#$%&'*+-.^_`|~9: odd but a token\r\n",
    ])
    func usualForms(extra: String) throws {
        let found = try #require(head(extra + Self.usual))
        let length = Self.line.utf8.count + extra.utf8.count + Self.usual.utf8.count + 2
        #expect(found == NotifyHead(headLength: length, bodyLength: 2, idempotencyKey: nil, closes: false))
    }

    @Test(arguments: [
        "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8",
        "application/json ; charset=utf-8",
    ])
    func contentTypes(type: String) {
        #expect(head("Host: x\r\nContent-Type: \(type)\r\nContent-Length: 2\r\n") != nil)
    }

    @Test(arguments: ["Origin: https://a\r\n", "ORIGIN:\r\n"])
    func originsAreLeftWhereTheyMatter(extra: String) {
        let text = Self.line + extra + Self.usual + "\r\n"
        #expect(verdict(text, leavesOrigins: true) == .library)
        #expect(verdict(text) != .library)
        let other = Self.line + "Origin2: x\r\nX-Origin: x\r\n" + Self.usual + "\r\n"
        #expect(verdict(other, leavesOrigins: true) == verdict(other))
    }

    @Test(arguments: [
        // Method, path and version.
        "GET /api/v1/notify HTTP/1.1\r\n", "POST /api/v1/notify/ HTTP/1.1\r\n", "POST /api/v1/notify?a=1 HTTP/1.1\r\n",
        "POST /api/v1/notify HTTP/1.0\r\n", "POST  /api/v1/notify HTTP/1.1\r\n", "post /api/v1/notify HTTP/1.1\r\n",
        "POST http://x/api/v1/notify HTTP/1.1\r\n", "POST /api/v1/notify HTTP/1.1\n",
        "\r\nPOST /api/v1/notify HTTP/1.1\r\n",
        "POST /api/v1/notify HTTP/1.1 \r\n", "POST /API/v1/notify HTTP/1.1\r\n",
    ])
    func unusualRequestLines(line: String) {
        #expect(verdict(line + Self.usual + "\r\n") == .library)
    }

    @Test(arguments: [
        "Content-Length: 2\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n",
        "transfer-encoding : chunked\r\n",
        "Transfer-Encoding:\tchunked\r\n", "Transfer-Encoding: xchunked\r\n", "Expect: 100-continue\r\n",
        "Upgrade: h2c\r\n", "Proxy-Connection: close\r\n",
        "Trailer: x\r\n", "Content-Encoding: gzip\r\n", "Host: y\r\n", "Content-Type: application/json\r\n",
        "Connection: upgrade\r\n", "Connection: close, x\r\n", "Connection: close\r\nConnection: close\r\n",
        "X-A: 1\r\n folded\r\n", "X-A: 1\r\n\tfolded\r\n", " X-A: 1\r\n", "X-A : 1\r\n", "X-A\r\n", ": 1\r\n",
        "X(A: 1\r\n",
        "X-A: \u{0}\r\n", "X-A: a\u{1}b\r\n", "X-A: a\tb\r\n", "X-A: a\u{7f}b\r\n", "X-A: é\r\n", "X-A: 1\n",
        "X-A: 1\rX-B: 2\r\n",
        "X-A: 1\r\r\n", "X-Ä: 1\r\n", "Idempotency-Key: \r\n", "Idempotency-Key: \"\"\r\n",
        "Idempotency-Key: a\r\nIdempotency-Key: a\r\n",
    ])
    func unusualFields(extra: String) {
        #expect(verdict(Self.line + extra + Self.usual + "\r\n") == .library)
        #expect(verdict(Self.line + Self.usual + extra + "\r\n") == .library)
    }

    @Test(arguments: [
        "Content-Type: application/json\r\nContent-Length: 2\r\n",
        "Host:\r\nContent-Type: application/json\r\nContent-Length: 2\r\n",
        "Host: x\r\nContent-Length: 2\r\n", "Host: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n",
        "Host: x\r\nContent-Type: application/jsonp\r\nContent-Length: 2\r\n",
        "Host: x\r\nContent-Type: application/json\r\n",
        "Host: x\r\nContent-Type: application/json\r\nContent-Length:\r\n",
        "Host: x\r\nContent-Type: application/json\r\nContent-Length: +2\r\n",
        "Host: x\r\nContent-Type: application/json\r\nContent-Length: -2\r\n",
        "Host: x\r\nContent-Type: application/json\r\nContent-Length: 0x2\r\n",
        "Host: x\r\nContent-Type: application/json\r\nContent-Length: 02\r\n",
        "Host: x\r\nContent-Type: application/json\r\nContent-Length: 2, 2\r\n",
        "Host: x\r\nContent-Type: application/json\r\nContent-Length: 2 2\r\n",
        "Host: x\r\nContent-Type: application/json\r\nContent-Length: 18446744073709551618\r\n",
    ])
    func missingOrWrongFields(fields: String) {
        #expect(verdict(Self.line + fields + "\r\n") == .library)
    }

    @Test func bodyLimit() {
        #expect(head(Self.usual, bodyLimit: 1) == nil)
        #expect(head(Self.usual, bodyLimit: 2)?.bodyLength == 2)
        #expect(head(Self.usual, bodyLimit: 3)?.bodyLength == 2)
    }

    @Test(arguments: [(16_383, true), (16_384, true), (16_385, false)])
    func headLimit(length: Int, isTaken: Bool) {
        let padding = length - Self.line.utf8.count - Self.usual.utf8.count - 2 - "X: \r\n".utf8.count
        let text = Self.line + Self.usual + "X: " + String(repeating: "a", count: padding) + "\r\n\r\n"
        #expect(text.utf8.count == length)
        #expect((verdict(text) != .library) == isTaken)
        // An endless head is left to the library, too.
        #expect((verdict(text.prefix(bytes: length - 3)) == .undecided) == (length - 3 < 16_384))
    }

    @Test(arguments: [
        ("abc", "abc"), ("\"abc\"", "abc"), ("\"a\\\"b\\\\\"", "a\"b\\"), ("\"abc", "\"abc"), ("\"a\"b\"", "\"a\"b\""),
        ("\"a\\", "\"a\\"),
    ])
    func idempotencyKeys(value: String, key: String) {
        #expect(head("Idempotency-Key: \(value)\r\n" + Self.usual)?.idempotencyKey == key)
    }

    @Test(arguments: [(254, true), (255, true), (256, false)])
    func idempotencyKeyLimit(length: Int, isTaken: Bool) {
        let key = String(repeating: "k", count: length)
        #expect((head("Idempotency-Key: \(key)\r\n" + Self.usual)?.idempotencyKey == key) == isTaken)
        #expect((head("Idempotency-Key: \"\(key)\"\r\n" + Self.usual)?.idempotencyKey == key) == isTaken)
    }

    @Test(arguments: [
        "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", "GET /ws?user_id=1 HTTP/1.1\r\nHost: x\r\n\r\nmore",
        "GET /ws HTTP/1.0\r\n\r\n",
    ])
    func upgrades(text: String) {
        #expect(verdict(text) == .upgrade)
    }

    @Test(arguments: ["GET /wss HTTP/1.1\r\n", "GET /ws/ HTTP/1.1\r\n", "GET /ws#a", "GET /x", "HEAD /ws", "x", "\0"])
    func otherPaths(text: String) {
        #expect(verdict(text) == .library)
    }

    @Test func everyBeginningIsUndecided() {
        for text in [Self.line + Self.usual + "\r\n", "GET /ws?a HTTP/1.1\r\nHost: x\r\n\r\n"] {
            for length in 0..<text.utf8.count {
                #expect(verdict(text.prefix(bytes: length)) == .undecided)
            }
            // Piece by piece with one sniffer, as it happens on a connection.
            var sniffer = RequestSniffer()
            let bytes = Array(text.utf8)
            for length in 1..<bytes.count {
                #expect(bytes[..<length].withUnsafeBytes { sniffer.examine($0, bodyLimit: 9) } == .undecided)
            }
            #expect(bytes.withUnsafeBytes { sniffer.examine($0, bodyLimit: 9) } != .undecided)
        }
    }
}
