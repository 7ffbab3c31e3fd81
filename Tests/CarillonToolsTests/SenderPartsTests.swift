import Testing

@testable import CarillonTools

@Suite struct SenderPartsTests {
    @Test(arguments: 1...6)
    func linesOfAnyPieces(size: Int) {
        let bytes = Array("ab\n\ncd\r\nefghi\nlast".utf8)
        var splitter = LineSplitter(limit: 4)
        var lines: [LineSplitter.Line] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += splitter.push(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        if let last = splitter.finish() { lines.append(last) }
        #expect(splitter.finish() == nil)
        #expect(
            lines == [
                .text(Array("ab".utf8)), .text([]), .text(Array("cd\r".utf8)), .tooLong, .text(Array("last".utf8)),
            ]
        )
    }

    @Test func longestLine() {
        for (count, expected) in [(3, false), (4, false), (5, true)] {
            var splitter = LineSplitter(limit: 4)
            let line = splitter.push([UInt8](repeating: 65, count: count) + [10])[0]
            #expect((line == .tooLong) == expected)
        }
    }

    private func body(_ line: String) throws -> String? {
        try NotifyBody.json(line: Array(line.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func linesBecomeRequests() throws {
        let whole = #" {"target":[{"id":9007199254740993,"login":"a"}],"message":"\u0041"}  "#
        #expect(try body(whole) == whole, "passed through as bytes")
        let toAll = #"{"audience":{"all":true},"message":"m"}"#
        #expect(try body(toAll) == toAll)
        #expect(
            try body(#"{"id":9007199254740993,"login":"a","message":"x\n","ttl_seconds":1.0,"data":{"n":1e400}}"#)
                == #"{"target":[{"id":9007199254740993,"login":"a"}],"message":"x\n","ttl_seconds":1.0,"data":{"n":1e400}}"#
        )
        #expect(try body(" \r\t") == nil)
        for bad in ["x", "[]", "{}", #"{"id":1,"login":"a"}"#, #"{"id":1,"message":"m"}"#, "{} {}"] {
            #expect(throws: UsageError.self) { try body(bad) }
        }
    }

    @Test func targets() throws {
        #expect(try Target("1:alice").json == #"{"id":1,"login":"alice"}"#)
        #expect(try Target("9223372036854775807:a").json == #"{"id":9223372036854775807,"login":"a"}"#)
        #expect(try Target("urn:x:bob").json == #"{"id":"urn:x","login":"bob"}"#)
        #expect(try Target("-1:bob").json == #"{"id":"-1","login":"bob"}"#)
        for bad in ["alice", ":a", "1:", "01:a", ""] { #expect(throws: UsageError.self) { try Target(bad) } }
    }

    @Test func bodyHasWhatWasGiven() throws {
        var body = NotifyBody(to: .users([try Target("1:a"), try Target("2:b")]), message: "say \"hi\"\n")
        #expect(
            String(decoding: try body.json(), as: UTF8.self)
                == #"{"target":[{"id":1,"login":"a"},{"id":2,"login":"b"}],"message":"say \"hi\"\n"}"#
        )
        body.recipients = .users([try Target("1:a")])
        body.source = "s"
        body.title = "t"
        body.type = "y"
        body.channel = "c"
        body.priority = "high"
        body.data = #"{"n": 9007199254740993}"#
        body.ttlSeconds = 60
        #expect(
            String(decoding: try body.json(), as: UTF8.self).hasSuffix(
                #","source":"s","title":"t","type":"y","channel":"c","priority":"high","#
                    + #""data":{"n": 9007199254740993},"ttl_seconds":60}"#
            )
        )
        for bad in ["[1]", "{", "1"] {
            body.data = bad
            #expect(throws: UsageError.self) { try body.json() }
        }
    }

    @Test func audiencesInsteadOfUsers() throws {
        func body(to: [String] = [], channel: String? = nil, all: Bool = false) throws -> String {
            var arguments = MessageArguments(message: "m", file: nil, targets: to, readsInput: false, count: 1)
            arguments.channel = channel
            arguments.isForEverybody = all
            guard case .body(let body, 1) = try arguments.requests() else { return "" }
            return String(decoding: body, as: UTF8.self)
        }
        #expect(try body(channel: "or\"ders") == #"{"audience":{"channel":"or\"ders"},"message":"m"}"#)
        #expect(try body(all: true) == #"{"audience":{"all":true},"message":"m"}"#)
        #expect(
            try body(to: ["1:a"], channel: "orders")
                == #"{"target":[{"id":1,"login":"a"}],"message":"m","channel":"orders"}"#
        )
        #expect(throws: UsageError.self) { try body(to: ["1:a"], all: true) }
        #expect(throws: UsageError.self) { try body(channel: "orders", all: true) }
        var lines = MessageArguments(message: nil, file: nil, targets: [], readsInput: true, count: 1)
        lines.isForEverybody = true
        #expect(throws: UsageError.self) { try lines.requests() }
    }

    @Test func argumentsThatExcludeOneAnother() throws {
        func source(
            _ message: String?,
            file: String? = nil,
            to: [String] = [],
            stdin: Bool = false,
            count: Int = 1
        ) throws {
            _ = try MessageArguments(message: message, file: file, targets: to, readsInput: stdin, count: count)
                .requests()
        }
        try source("hi", to: ["1:a"], count: 2)
        try source(nil)
        try source("-")
        try source(nil, stdin: true)
        #expect(throws: UsageError.self) { try source("hi", file: "f") }
        #expect(throws: UsageError.self) { try source("hi", stdin: true) }
        #expect(throws: UsageError.self) { try source("-", to: ["1:a"]) }
        #expect(throws: UsageError.self) { try source("-", count: 2) }
        #expect(throws: UsageError.self) { try source(nil, file: "/nowhere/at/all") }
        #expect(throws: UsageError.self) { try source("hi", to: ["alice"]) }
    }

    @Test func senderLimits() throws {
        func check(_ source: RequestSource = .body([], count: 1), _ change: (inout SenderOptions) -> Void) throws {
            var options = try SenderOptions(url: nil, source: source)
            change(&options)
            try options.validate()
        }
        for number in [1, 1_024] { try check { $0.concurrency = number } }
        for number in [0, 1_025] { #expect(throws: UsageError.self) { try check { $0.concurrency = number } } }
        for number in [0, 100] { try check { $0.retries = number } }
        for number in [-1, 101] { #expect(throws: UsageError.self) { try check { $0.retries = number } } }
        for (source, longest) in [(RequestSource.body([], count: 1), 255), (.body([], count: 2), 235)] {
            for count in [1, longest] { try check(source) { $0.idempotencyKey = String(repeating: "k", count: count) } }
            for count in [0, longest + 1] {
                #expect(throws: UsageError.self) {
                    try check(source) { $0.idempotencyKey = String(repeating: "k", count: count) }
                }
            }
        }
        for key in ["a b", "a\r\nX: y", "é"] {
            #expect(throws: UsageError.self) { try check { $0.idempotencyKey = key } }
        }
        #expect(throws: UsageError.self) { try check(.body([], count: 0)) { _ in } }
    }
}
