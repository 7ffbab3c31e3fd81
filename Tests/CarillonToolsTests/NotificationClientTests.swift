import CarillonTestSupport
import NIOCore
import NIOPosix
import Testing

@testable import CarillonTools

@Suite struct NotificationClientTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private static func push(_ number: Int, _ status: String = "unread", message: String = "m") -> StubServer.Move {
        .text(
            #"{"type":"notification.push","data":{"notification_id":"n\#(number)","stream_id":"\#(number)-0","#
                + #""message":"\#(message)","created_at":"t","source":"s","status":"\#(status)","read":\#(status == "read")}}"#
        )
    }

    private static func ready(_ last: String, epoch: String = "e1") -> StubServer.Move {
        .text(
            #"{"type":"session.ready","data":{"connection_id":"c","pod_id":"pod","unread_count":1,"#
                + #""last_stream_id":"\#(last)","epoch":"\#(epoch)","server_time":"t","protocol":1}}"#
        )
    }

    private static func acks(_ text: String) -> [StubServer.Move] {
        guard let frame = try? JSONValue(parsing: Array(text.utf8)), let data = frame["data"],
            frame["type"]?.string == "notification.read"
        else { return [] }
        let pairs = if case .array(let pairs) = data { pairs } else { [data] }
        return pairs.map { .text(#"{"type":"notification.read.ack","data":\#($0.text)}"#) }
    }

    private func run(
        _ server: StubServer?,
        interrupt: EventLoopFuture<Void>? = nil,
        _ change: (inout ClientOptions) -> Void
    ) async throws -> (status: ToolStatus, console: RecordingConsole) {
        var options = try ClientOptions(url: "ws://127.0.0.1:\(server?.port ?? 1)", userID: "1", login: "alice")
        options.backoff = Backoff(base: .milliseconds(2), cap: .milliseconds(10))
        options.readAfterSeconds = 0
        options.timeoutSeconds = 20
        change(&options)
        let console = RecordingConsole()
        let never = loop.makePromise(of: Void.self)
        defer { never.succeed() }
        let status = try await NotificationClient.run(
            options,
            console: console.console,
            on: loop,
            until: interrupt ?? never.futureResult
        )
        return (status, console)
    }

    @Test func pushIsPrintedAndReadAndAcknowledged() async throws {
        let script = StubServer.Script(
            opened: { _, _ in
                [Self.push(1, "read"), Self.push(2), Self.ready("2-0"), Self.push(3, message: "\\u001b[2J")]
            },
            heard: { _, text in Self.acks(text) }
        )
        try await StubServer.with(script) { server in
            let (status, console) = try await run(server) { $0.count = 3 }
            #expect(status == .success)
            #expect(console.lines == ["t READ [s] m", "t UNREAD [s] m", #"t UNREAD [s] \u001b[2J"#])
            #expect(console.error.contains("connected to pod as 1:alice, 1 unread"))
            // The client does not wait for the server to have read its last words.
            try await wait(until: "the server has heard it close", within: .seconds(10)) {
                !server.seen.closeCodes.isEmpty
            }
            let seen = server.seen
            #expect(seen.webSockets.map(\.uri) == ["/ws?user_id=1&login=alice"])
            #expect(seen.closeCodes == [1000])
            let read = seen.texts.joined()
            #expect(read.contains(#"{"notification_id":"n2","stream_id":"2-0"}"#))
            #expect(read.contains(#"{"notification_id":"n3","stream_id":"3-0"}"#))
            #expect(!read.contains(#""n1""#), "what is read already is not reported")
        }
    }

    @Test func readWaitsForItsDelay() async throws {
        let script = StubServer.Script(
            opened: { _, _ in [Self.ready("0-0"), Self.push(1)] },
            heard: { _, text in Self.acks(text) }
        )
        try await StubServer.with(script) { server in
            let started = NIODeadline.now()
            let (status, _) = try await run(server) {
                $0.count = 1
                $0.readAfterSeconds = 0.2
            }
            #expect(status == .success)
            #expect(NIODeadline.now() - started >= .milliseconds(200))
        }
    }

    @Test func jsonIsTheServersOwn() async throws {
        let frame = #"{"type":"notification.push","data":{"id":9007199254740993, "x":1.0,"status":"unread"}}"#
        let script = StubServer.Script(opened: { _, _ in [Self.ready("1-0"), .text("{\n}"), .text(frame), .text(frame)]
        })
        try await StubServer.with(script) { server in
            let (status, console) = try await run(server) {
                $0.json = true
                $0.count = 1
                $0.quiet = true
                $0.readAfterSeconds = nil
            }
            #expect(status == .success)
            #expect(console.lines.count == 3, "no push after the last one that was asked for")
            #expect(console.lines.dropFirst() == ["{ }", frame])
            #expect(console.error.isEmpty)
            #expect(server.seen.texts.isEmpty)
        }
    }

    @Test func comesBackWhereItLeftOff() async throws {
        let script = StubServer.Script(
            opened: { number, _ in
                switch number {
                case 0: [Self.push(1), Self.ready("1-0"), Self.push(2)]
                case 1: [Self.push(3)]
                case 2: [Self.push(3), Self.ready("3-0"), .close(1012, "resync")]
                case 3: [Self.push(1), Self.ready("1-0", epoch: "e2"), .close(1001, "back in 1 ms")]
                default: [Self.ready("1-0", epoch: "e2"), Self.push(9)]
                }
            },
            heard: { number, text in
                switch number {
                case 0: text.contains("n2") ? [.hangUp] : []
                // Its replay never ends, so its push is no place to go on from.
                case 1: [.hangUp]
                case 4: Self.acks(text)
                default: []
                }
            }
        )
        try await StubServer.with(script) { server in
            let (status, _) = try await run(server) { $0.count = 6 }
            #expect(status == .success)
            #expect(
                server.seen.webSockets.map { $0.uri.dropFirst("/ws?user_id=1&login=alice".count) } == [
                    "", "&since=2-0&epoch=e1", "&since=2-0&epoch=e1", "", "&since=1-0&epoch=e2",
                ]
            )
        }
    }

    @Test func subscribesAndComesBackToEveryTopic() async throws {
        let topics = #"{"type":"session.ready","data":{"last_stream_id":"1-0","epoch":"e","topics":{"":"2-0"}}}"#
        let push = #"{"type":"notification.push","data":{"notification_id":"n","stream_id":"3-0@a","status":"unread"}}"#
        let subscribed = #"{"type":"subscribe.ack","data":{"channels":["a","b/c"]}}"#
        let script = StubServer.Script(
            opened: { number, _ in
                number == 0 ? [.text(subscribed), .text(topics), .text(push)] : [Self.ready("1-0"), Self.push(9)]
            },
            heard: { number, text in number == 0 ? [.hangUp] : Self.acks(text) }
        )
        try await StubServer.with(script) { server in
            let (status, console) = try await run(server) {
                $0.channels = ["a", "b/c"]
                $0.count = 2
                $0.readAfterSeconds = 0
            }
            #expect(status == .success)
            #expect(console.error.contains("channels: a, b/c\n"))
            #expect(server.seen.texts.first?.contains(#""stream_id":"3-0@a""#) == true)
            let query = "/ws?user_id=1&login=alice&channels=a%2Cb%2Fc"
            let since = "&since=1-0%2C2-0%40%2C3-0%40a&epoch=e"
            #expect(server.seen.webSockets.map(\.uri) == [query, query + since])
        }
    }

    @Test func hangUpRightAfterTheUpgrade() async throws {
        let script = StubServer.Script(opened: { number, _ in
            number < 3 ? [.hangUp] : [Self.push(1, "read"), Self.ready("1-0")]
        })
        try await StubServer.with(script) { server in
            let (status, _) = try await run(server) { $0.count = 1 }
            #expect(status == .success)
        }
    }

    @Test func readsOutliveTheConnection() async throws {
        let script = StubServer.Script(
            opened: { number, _ in number == 0 ? [Self.push(1), Self.ready("1-0")] : [Self.ready("1-0")] },
            heard: { number, text in number == 0 ? [.hangUp] : Self.acks(text) }
        )
        try await StubServer.with(script) { server in
            let (status, _) = try await run(server) { $0.count = 1 }
            #expect(status == .success)
            let read = #"{"type":"notification.read","data":{"notification_id":"n1","stream_id":"1-0"}}"#
            #expect(server.seen.texts == [read, read])
        }
    }

    @Test func manyReadsShareFrames() async throws {
        let script = StubServer.Script(
            opened: { _, _ in (1...250).map { Self.push($0) } + [Self.ready("250-0")] },
            heard: { _, text in Self.acks(text) }
        )
        try await StubServer.with(script) { server in
            let (status, _) = try await run(server) {
                $0.count = 250
                $0.readAfterSeconds = 0.1
            }
            #expect(status == .success)
            #expect(server.seen.texts.count < 250)
        }
    }

    @Test func readThatTheServerDoesNotKnow() async throws {
        let script = StubServer.Script(
            opened: { _, _ in [Self.push(1), Self.ready("1-0")] },
            heard: { _, _ in
                [
                    .text(
                        #"{"type":"error","data":{"code":"gone","detail":"it is \u001b gone","type":"notification.read"}}"#
                    )
                ]
            }
        )
        try await StubServer.with(script) { server in
            let (status, console) = try await run(server) { $0.count = 1 }
            #expect(status == .success)
            #expect(console.error.contains(#"the server says: gone: it is \u001b gone"#))
        }
    }

    @Test(arguments: ["keep-alive", "close"])
    func refusalIsAProtocolError(connection: String) async throws {
        let script = StubServer.Script(
            answer: { _, _ in
                .status(
                    400,
                    #"{"title":"Bad Request","detail":"user_id is required","error":"e"}"#,
                    headers: [("Connection", connection)]
                )
            },
            opened: { _, _ in nil }
        )
        try await StubServer.with(script) { server in
            let (status, console) = try await run(server) { _ in }
            #expect(status == .protocolError)
            #expect(console.error == "the server refuses the connection: 400 e: user_id is required\n")
        }
    }

    @Test func busyServerIsTriedAgain() async throws {
        let script = StubServer.Script(
            answer: { _, _ in .status(503, #"{"detail":"Redis is away"}"#, headers: [("Retry-After", "0")]) },
            opened: { number, _ in number < 2 ? nil : [Self.push(1, "read"), Self.ready("1-0")] }
        )
        try await StubServer.with(script) { server in
            let (status, console) = try await run(server) { $0.count = 1 }
            #expect(status == .success)
            #expect(console.error.contains("the server answers 503: Redis is away; trying again in"))
            #expect(server.seen.webSockets.count == 3)
        }
    }

    @Test func otherProtocolVersion() async throws {
        let script = StubServer.Script(opened: { _, _ in [.text(#"{"type":"session.ready","data":{"protocol":2}}"#)] })
        try await StubServer.with(script) { server in
            let (status, _) = try await run(server) { _ in }
            #expect(status == .protocolError)
        }
    }

    @Test func timeIsUp() async throws {
        let script = StubServer.Script(opened: { _, _ in [Self.ready("0-0")] })
        try await StubServer.with(script) { server in
            let short = try await run(server) {
                $0.count = 1
                $0.timeoutSeconds = 0.05
            }
            #expect(short.status == .timeout)
            #expect(try await run(server) { $0.timeoutSeconds = 0.05 }.status == .success)
        }
    }

    @Test func certificatesThatCannotBeRead() async throws {
        try await StubServer.with(StubServer.Script()) { server in
            let (status, console) = try await run(server) {
                $0.url = try! ServerURL("wss://127.0.0.1:\(server.port)")
                $0.caFile = "/nowhere/ca.pem"
            }
            #expect(status == .unavailable)
            #expect(console.error.contains("cannot read certificates from /nowhere/ca.pem"))
        }
    }

    @Test func nobodyThere() async throws {
        let (status, console) = try await run(nil) { $0.reconnect = false }
        #expect(status == .unavailable)
        #expect(console.error == "cannot connect to 127.0.0.1:1: Connection refused\n")
    }

    @Test func interruptClosesCleanly() async throws {
        let interrupt = loop.makePromise(of: Void.self)
        let script = StubServer.Script(
            opened: { _, _ in [.ping("are you there"), .text(#"{"type":"x"}"#), Self.ready("0-0")] },
            heard: { _, text in
                if text.contains("sync.request") { interrupt.succeed() }
                return []
            }
        )
        try await StubServer.with(script) { server in
            let (status, _) = try await run(server, interrupt: interrupt.futureResult) { $0.syncLimit = 7 }
            #expect(status == .success)
            #expect(server.seen.texts == [#"{"type":"sync.request","data":{"limit":7}}"#])
            #expect(server.seen.pongs == ["are you there"])
            // The client does not wait for ever for the other side's close frame.
            try await wait(until: "the server has heard the close") { server.seen.closeCodes == [1000] }
        }
    }

    @Test func historyIsPrinted() async throws {
        let row = #"{"created_at":"t","status":"read","message":"old","source":""}"#
        let script = StubServer.Script(
            opened: { _, _ in [Self.ready("0-0")] },
            heard: { _, _ in [.text(#"{"type":"sync.response","data":[\#(row),\#(row)]}"#), Self.push(1, "read")] }
        )
        try await StubServer.with(script) { server in
            let (_, console) = try await run(server) {
                $0.syncLimit = 100
                $0.count = 1
            }
            #expect(console.lines == ["t READ old", "t READ old", "t READ [s] m"])
        }
    }
}
