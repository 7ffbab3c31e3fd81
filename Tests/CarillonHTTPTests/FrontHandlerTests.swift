import CarillonDomain
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import CarillonHTTP

/// A connection without a socket, whose clock stands still until it is moved.
private struct Connection {
    let loop = EmbeddedEventLoop()
    let channel: EmbeddedChannel
    let service = FakeNotify()
    let upgrades = FakeUpgrades()
    let shared: HTTPLoop

    init() throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var configuration = HTTPConfiguration(address: ListenAddress(port: 0))
        configuration.bodyLimitBytes = 200_000
        shared = HTTPLoop(
            eventLoop: loop,
            notify: service,
            upgrades: upgrades,
            requests: RequestRunner(responder: Router().buildResponder(), observer: AnswerLog(), logger: logger),
            observer: AnswerLog(),
            configuration: configuration,
            logger: logger
        )
        shared.startTimer()
        channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandler(FrontHandler(shared))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    func receive(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    /// All answers since the last call.
    func answers() throws -> [Answer] {
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        var answers: [Answer] = []
        while let answer = Answer.take(from: &text) { answers.append(answer) }
        #expect(text.isEmpty)
        return answers
    }

    func finish() {
        shared.stopTimer()
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}

@Suite struct FrontHandlerTests {
    @Test func answersARequest() throws {
        let connection = try Connection()
        defer { connection.finish() }
        try connection.receive(post("hello", "Idempotency-Key: \"k\"\r\n"))
        let answer = try #require(try connection.answers().first)
        #expect(answer.status == 202)
        #expect(answer.body == "ok:hello")
        #expect(answer["content-type"] == "application/json")
        #expect(answer["date"]?.hasSuffix(" GMT") == true)
        #expect(answer["connection"] == nil)
        #expect(answer["idempotent-replayed"] == nil)
        #expect(connection.service.log.keys == ["k"])
    }

    @Test func requestSplitAtEveryByte() throws {
        let text = post("hello", "Idempotency-Key: k\r\n")
        for split in 1..<text.utf8.count {
            let connection = try Connection()
            defer { connection.finish() }
            try connection.receive(text.prefix(bytes: split))
            #expect(connection.service.log.bodies.isEmpty)
            try connection.receive(text.suffix(fromByte: split))
            #expect(try connection.answers().map(\.body) == ["ok:hello"])
        }
    }

    @Test func pipelinedRequestsByteByByte() throws {
        let connection = try Connection()
        defer { connection.finish() }
        for byte in (post("a") + post("bb") + post("")).utf8 {
            try connection.channel.writeInbound(ByteBuffer(bytes: [byte]))
        }
        #expect(try connection.answers().map(\.body) == ["ok:a", "ok:bb", "ok:"])
    }

    @Test func pipelinedRequestsInOneRead() throws {
        let connection = try Connection()
        defer { connection.finish() }
        try connection.receive((0..<50).map { post("\($0)") }.joined())
        #expect(try connection.answers().map(\.body) == (0..<50).map { "ok:\($0)" })
    }

    @Test func oneRequestAtATimeInOrder() throws {
        let connection = try Connection()
        defer { connection.finish() }
        connection.service.isHolding = true
        try connection.receive(post("a") + post("b"))
        try connection.receive(post("c"))
        #expect(connection.service.log.bodies == ["a"])
        connection.service.release("1")
        #expect(connection.service.log.bodies == ["a", "b"])
        connection.service.release("2")
        connection.service.release("3")
        #expect(try connection.answers().map(\.body) == ["1", "2", "3"])
    }

    @Test func stopsReadingWhileMuchIsWaiting() throws {
        let connection = try Connection()
        defer { connection.finish() }
        connection.service.isHolding = true
        try connection.receive(post("a"))
        let body = String(repeating: "x", count: 70_000)
        try connection.receive(post(body))
        let counter = ReadCounter()
        try connection.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        connection.channel.read()
        #expect(counter.count == 0)
        connection.service.release("1")
        #expect(counter.count == 1)
        connection.channel.read()
        #expect(counter.count == 2)
    }

    @Test func largeBodyInPieces() throws {
        let connection = try Connection()
        defer { connection.finish() }
        let body = String(repeating: "0123456789", count: 20_000)
        var rest = Substring(post(body))
        while !rest.isEmpty {
            try connection.receive(String(rest.prefix(3_000)))
            rest = rest.dropFirst(3_000)
        }
        #expect(connection.service.log.bodies == [body])
    }

    @Test func closesWhenAsked() throws {
        let connection = try Connection()
        defer { connection.finish() }
        try connection.receive(post("a", "Connection: close\r\n") + post("b"))
        let answers = try connection.answers()
        #expect(answers.map(\.body) == ["ok:a"])
        #expect(answers[0]["connection"] == "close")
        #expect(!connection.channel.isActive)
        #expect(connection.service.log.bodies == ["a"])
    }

    @Test func problemsAndReplays() throws {
        let connection = try Connection()
        defer { connection.finish() }
        connection.service.answer = { call in
            call.body == "a"
                ? .problem(.redisAway()) : .accepted(body: ByteBuffer(string: "again"), replayed: true)
        }
        try connection.receive(post("a") + post("b"))
        let answers = try connection.answers()
        #expect(answers.map(\.status) == [503, 202])
        #expect(answers[0]["retry-after"] == "1")
        #expect(answers[0]["content-type"] == "application/problem+json")
        #expect(answers[1]["idempotent-replayed"] == "true")
    }

    @Test func anAnswerForAClientThatHasGoneIsDropped() throws {
        let connection = try Connection()
        defer { connection.finish() }
        connection.service.isHolding = true
        try connection.receive(post("a"))
        try connection.channel.close().wait()
        connection.loop.run()
        connection.service.release("1")
        #expect(connection.shared.connections.count == 0)
    }

    // MARK: - Clock

    @Test func idleConnectionIsClosedAfterAMinute() throws {
        let connection = try Connection()
        defer { connection.finish() }
        connection.loop.advanceTime(by: .seconds(30))
        try connection.receive(post("a"))
        connection.loop.advanceTime(by: .seconds(59))
        #expect(connection.channel.isActive)
        connection.loop.advanceTime(by: .seconds(1))
        #expect(!connection.channel.isActive)
        #expect(try connection.answers().map(\.status) == [202])
        #expect(connection.shared.connections.count == 0)
    }

    @Test(arguments: [
        "P", "POST /api/v1/notify HTTP/1.1\r\nHo", String(post("hello").dropLast()), "GET /w", "GET /hea",
    ])
    func unfinishedRequestIsA408(beginning: String) throws {
        let connection = try Connection()
        defer { connection.finish() }
        try connection.receive(beginning)
        connection.loop.advanceTime(by: .seconds(29))
        #expect(try connection.answers().isEmpty)
        connection.loop.advanceTime(by: .seconds(1))
        let answers = try connection.answers()
        #expect(answers.map(\.status) == [408])
        #expect(answers.first?["connection"] == "close")
        connection.loop.advanceTime(by: .seconds(2))
        #expect(!connection.channel.isActive)
    }

    @Test func tricklingDoesNotProlongARequest() throws {
        let connection = try Connection()
        defer { connection.finish() }
        for byte in post("hello").utf8.prefix(30) {
            try connection.channel.writeInbound(ByteBuffer(bytes: [byte]))
            connection.loop.advanceTime(by: .seconds(1))
        }
        #expect(try connection.answers().map(\.status) == [408])
    }

    @Test func aServedRequestMayTakeItsTime() throws {
        let connection = try Connection()
        defer { connection.finish() }
        connection.service.isHolding = true
        try connection.receive(post("a"))
        connection.loop.advanceTime(by: .seconds(200))
        connection.service.release("1")
        #expect(try connection.answers().map(\.body) == ["1"])
    }

    // MARK: - Draining

    @Test func drainClosesIdleConnectionsAndMarksLastAnswers() throws {
        let idle = try Connection()
        defer { idle.finish() }
        try idle.receive(post("a"))
        idle.shared.drain {}
        #expect(!idle.channel.isActive)

        let busy = try Connection()
        defer { busy.finish() }
        busy.service.isHolding = true
        try busy.receive(post("a"))
        var isEmpty = false
        busy.shared.drain { isEmpty = true }
        #expect(busy.channel.isActive && !isEmpty)
        busy.service.release("1")
        #expect(try busy.answers().first?["connection"] == "close")
        busy.loop.run()
        #expect(!busy.channel.isActive && isEmpty)
    }

    // MARK: - Upgrades

    @Test func givesAllBytesAway() throws {
        let head = "GET /ws?user_id=1&login=a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n"
        for split in 1..<head.utf8.count {
            let connection = try Connection()
            defer { connection.finish() }
            try connection.receive(post("a") + head.prefix(bytes: split))
            try connection.receive(head.suffix(fromByte: split) + "early frame")
            try connection.receive("later")
            #expect(connection.upgrades.log.first == head + "early frame")
            #expect(connection.upgrades.log.laterText == "later")
            #expect(connection.shared.connections.count == 0)
            connection.loop.advanceTime(by: .seconds(100))
            #expect(connection.channel.isActive)
        }
    }
}

private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}
