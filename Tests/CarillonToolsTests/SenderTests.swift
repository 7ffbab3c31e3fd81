import NIOCore
import NIOPosix
import Testing

@testable import CarillonTools

@Suite struct SenderTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private struct Outcome {
        let status: ToolStatus
        let summary: SenderSummary
        let console: RecordingConsole
    }

    private func run(
        _ server: StubServer?,
        _ source: RequestSource,
        _ change: (inout SenderOptions) -> Void = { _ in }
    ) async throws -> Outcome {
        var options = try SenderOptions(url: "http://127.0.0.1:\(server?.port ?? 1)", source: source)
        options.backoff = Backoff(base: .milliseconds(2), cap: .milliseconds(10))
        change(&options)
        let console = RecordingConsole()
        let (status, summary) = try await Sender.run(options, console: console.console, on: loop)
        return Outcome(status: status, summary: summary, console: console)
    }

    private func lines(_ pieces: String...) -> RequestSource {
        let rest = Locked(pieces[...])
        return .lines { Array((rest.with { $0.popFirst() } ?? "").utf8) }
    }

    private static let message = Array(#"{"target":[{"id":1,"login":"a"}],"message":"m"}"#.utf8)

    @Test func oneMessage() async throws {
        let script = StubServer.Script(answer: { _, _ in
            .status(202, #"{"results":[{"target":{"id":9007199254740993,"login":"a"},"notification_id":"n1"}]}"#)
        })
        try await StubServer.with(script) { server in
            let outcome = try await run(server, .body(Self.message, count: 1))
            #expect(outcome.status == .success)
            #expect(outcome.summary == SenderSummary(sent: 1, accepted: 1, failed: 0))
            #expect(outcome.console.lines.first == "9007199254740993:a n1")
            #expect(outcome.console.lines.last?.hasPrefix("1 sent, 1 accepted, 0 failed in ") == true)
            let request = try #require(server.seen.requests.first)
            #expect(request.uri == "/api/v1/notify")
            #expect(request.body == String(decoding: Self.message, as: UTF8.self))
            #expect(request.fields("content-type") == ["application/json"])
            #expect(request.fields("host") == ["127.0.0.1:\(server.port)"])
        }
    }

    @Test(arguments: [
        (#"{"channel":"orders"}"#, "channel orders n1"), (#"{"all":true}"#, "everybody n1"),
    ])
    func aMessageForATopic(audience: String, line: String) async throws {
        let script = StubServer.Script(answer: { _, _ in
            .status(202, #"{"notification_id":"n1","audience":\#(audience)}"#)
        })
        try await StubServer.with(script) { server in
            let outcome = try await run(server, .body(Self.message, count: 1))
            #expect(outcome.status == .success)
            #expect(outcome.console.lines.first == line)
        }
    }

    @Test func anAnswerMayBeItsConnectionsLast() async throws {
        let script = StubServer.Script(answer: { _, _ in
            .status(202, #"{"results":[]}"#, headers: [("Connection", "close")])
        })
        try await StubServer.with(script) { server in
            let outcome = try await run(server, .body(Self.message, count: 5)) { $0.concurrency = 1 }
            #expect(outcome.status == .success)
            #expect(server.seen.requests.count == 5, "each once")
            #expect(server.seen.connections == 5)
        }
    }

    @Test func manyMessagesShareConnections() async throws {
        try await StubServer.with(StubServer.Script()) { server in
            let outcome = try await run(server, .body(Self.message, count: 500)) { $0.concurrency = 4 }
            #expect(outcome.status == .success)
            #expect(outcome.summary == SenderSummary(sent: 500, accepted: 500, failed: 0))
            #expect(server.seen.connections == 4)
            let keys = server.seen.requests.compactMap { $0.fields("idempotency-key").first }
            #expect(Set(keys).count == 500, "each request has a key of its own")
        }
    }

    @Test(arguments: [503, 409, 429, 502, 504])
    func busyServerIsTriedAgainWithTheSameKey(status: Int) async throws {
        let script = StubServer.Script(answer: { number, _ in
            number < 3 ? .status(status, headers: [("Retry-After", "0")]) : .status(202, "{}")
        })
        try await StubServer.with(script) { server in
            let outcome = try await run(server, .body(Self.message, count: 1))
            #expect(outcome.summary == SenderSummary(sent: 1, accepted: 1, failed: 0))
            let keys = server.seen.requests.map { $0.fields("idempotency-key") }
            #expect(keys.count == 4)
            #expect(keys[0].count == 1)
            #expect(Set(keys).count == 1)
        }
    }

    @Test func retryAfterIsHonoured() async throws {
        let script = StubServer.Script(answer: { number, _ in
            number == 0 ? .status(503, headers: [("Retry-After", "1")]) : .status(202, "{}")
        })
        try await StubServer.with(script) { server in
            let started = NIODeadline.now()
            _ = try await run(server, .body(Self.message, count: 1))
            #expect(NIODeadline.now() - started >= .seconds(1))
        }
    }

    @Test func lostAnswerIsAskedForAgainWithTheSameKey() async throws {
        let script = StubServer.Script(answer: { number, _ in number < 2 ? .hangUp : .status(202, "{}") })
        try await StubServer.with(script) { server in
            let outcome = try await run(server, .body(Self.message, count: 1)) { $0.idempotencyKey = "mine" }
            #expect(outcome.status == .success)
            #expect(server.seen.requests.map { $0.fields("idempotency-key") } == [["mine"], ["mine"], ["mine"]])
        }
    }

    @Test(arguments: [0, 2])
    func retriesEnd(retries: Int) async throws {
        try await StubServer.with(StubServer.Script(answer: { _, _ in .status(503, #"{"detail":"away"}"#) })) {
            server in
            let outcome = try await run(server, .body(Self.message, count: 1)) { $0.retries = retries }
            #expect(outcome.status == .failure)
            #expect(outcome.summary == SenderSummary(sent: 1, accepted: 0, failed: 1))
            #expect(outcome.console.error.hasSuffix("503: away\n"))
            #expect(server.seen.requests.count == retries + 1)
            #expect((server.seen.requests[0].fields("idempotency-key").isEmpty) == (retries == 0))
        }
    }

    @Test func linesWithBadOnesAmongThem() async throws {
        let script = StubServer.Script(answer: { _, request in
            request.body.contains("refuse me")
                ? .status(422, #"{"detail":"no","error":"invalid_field"}"#) : .status(202)
        })
        let whole = #"{"target":[{"id":9007199254740993,"login":"a"}],"message":"one"}"#
        let source = lines(
            whole + "\n\nnot json\n{\"id\":2,\"lo",
            "gin\":\"b\",\"message\":\"two\"}\n",
            #"{"id":3,"login":"c","message":"refuse me"}"#
        )
        try await StubServer.with(script) { server in
            let outcome = try await run(server, source) {
                $0.concurrency = 1
                $0.idempotencyKey = "run"
            }
            #expect(outcome.status == .failure)
            #expect(outcome.summary == SenderSummary(sent: 3, accepted: 2, failed: 2))
            #expect(
                outcome.console.error
                    == "line 3: not JSON: no value at byte 0\nline 5: 422 invalid_field: no\n"
            )
            #expect(
                server.seen.requests.map(\.body) == [
                    whole, #"{"target":[{"id":2,"login":"b"}],"message":"two"}"#,
                    #"{"target":[{"id":3,"login":"c"}],"message":"refuse me"}"#,
                ]
            )
            #expect(server.seen.requests.flatMap { $0.fields("idempotency-key") } == ["run-1", "run-4", "run-5"])
        }
    }

    @Test func manyLines() async throws {
        let chunk = String(repeating: "{\"id\":1,\"login\":\"a\",\"message\":\"m\"}\n", count: 700)
        try await StubServer.with(StubServer.Script()) { server in
            let outcome = try await run(server, lines(chunk, chunk, chunk))
            #expect(outcome.summary == SenderSummary(sent: 2_100, accepted: 2_100, failed: 0))
        }
    }

    @Test func onlyBadLines() async throws {
        let outcome = try await run(nil, lines(String(repeating: "x\n", count: 10_000)))
        #expect(outcome.status == .failure)
        #expect(outcome.summary == SenderSummary(sent: 0, accepted: 0, failed: 10_000))
    }

    @Test func noLines() async throws {
        #expect(try await run(nil, lines()).status == .success)
    }

    @Test func inputThatFails() async throws {
        let outcome = try await run(nil, .lines { throw IOError(errnoCode: 5, reason: "read") })
        #expect(outcome.status == .failure)
        #expect(outcome.console.error == "the input cannot be read: Input/output error\n")
    }

    @Test func jsonLines() async throws {
        let script = StubServer.Script(answer: { number, _ in
            number == 0 ? .status(202, #"{"results": [{"id":9007199254740993}]}"#) : .status(500, "oops")
        })
        try await StubServer.with(script) { server in
            let line = #"{"id":1,"login":"a","message":"m"}"# + "\n"
            let outcome = try await run(server, lines(line, line, "x")) {
                $0.concurrency = 1
                $0.json = true
            }
            #expect(
                outcome.console.lines.dropLast() == [
                    #"{"line":1,"status":202,"response":{"results":[{"id":9007199254740993}]}}"#,
                    #"{"line":2,"status":500,"response":"oops"}"#,
                    #"{"line":3,"error":"not JSON: no value at byte 0"}"#,
                ]
            )
            let last = try JSONValue(parsing: Array((outcome.console.lines.last ?? "").utf8))["summary"]
            #expect(last?["sent"]?.scalar == "2")
            #expect(last?["accepted"]?.scalar == "1")
            #expect(last?["failed"]?.scalar == "2")
            #expect(last?["seconds"] != nil)
            #expect(last?["per_second"] != nil)
        }
    }

    @Test func certificatesThatCannotBeRead() async throws {
        try await StubServer.with(StubServer.Script()) { server in
            let outcome = try await run(server, .body(Self.message, count: 100)) {
                $0.url = try! ServerURL("https://127.0.0.1:\(server.port)")
                $0.caFile = "/nowhere/ca.pem"
            }
            #expect(outcome.status == .unavailable)
            #expect(outcome.console.error.contains("cannot read certificates from /nowhere/ca.pem"))
            #expect(!outcome.console.error.contains("trying again"))
        }
    }

    @Test func nobodyThere() async throws {
        let outcome = try await run(nil, .body(Self.message, count: 100)) { $0.retries = 2 }
        #expect(outcome.status == .unavailable)
        #expect(outcome.summary.accepted == 0)
        #expect(outcome.summary.failed == outcome.summary.sent)
        #expect(outcome.console.error.contains("cannot connect to 127.0.0.1:1: Connection refused"))
    }
}
