import CarillonDomain
import NIOCore
import NIOEmbedded
import Testing

@testable import CarillonRealtime

/// A stream without a network.
private struct StreamHarness {
    let loop = EmbeddedEventLoop()
    let channel: EmbeddedChannel
    let wire = Wire()
    let observer = RecordingObserver()
    let group: ConnectionGroup
    let acceptor = RecordingAcceptor()
    let connection: EventStreamConnection

    var session: RecordingSession { acceptor.session }

    init(_ settings: ConnectionSettings = ConnectionSettings()) throws {
        group = ConnectionGroup(eventLoop: loop, settings: settings, observer: observer)
        channel = EmbeddedChannel(loop: loop)
        connection = EventStreamConnection(acceptor: acceptor, group: group)
        wire.channel = channel
        try channel.pipeline.syncOperations.addHandlers([wire, connection])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// A stream whose head was taken off the wire.
    static func open(_ settings: ConnectionSettings = ConnectionSettings()) throws -> StreamHarness {
        let harness = try StreamHarness(settings)
        harness.answer()
        _ = try harness.sent()
        return harness
    }

    func answer(lastEventID: String? = nil, isHead: Bool = false) {
        let request = EventStreamConnection.Request(
            query: "user_id=1&login=alice",
            lastEventID: lastEventID,
            isHead: isHead,
            answerLines: "x-line: 1\r\n"
        )
        connection.answer(request)
        loop.run()
    }

    func push(_ text: String) {
        var frame = DeviceFrame { $0.writeString("{\"type\":\"t\",\"data\":\"\(text)\"}") }
        connection.send(&frame)
    }

    func sent() throws -> String {
        loop.run()
        var text = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }
}

@Suite("Event streams")
struct EventStreamConnectionTests {
    @Test("the head, then what the session says")
    func opens() throws {
        let harness = try StreamHarness()
        harness.session.onOpened = { [connection = harness.connection] in
            connection.sendBulk(ByteBuffer(string: "first"))
        }
        harness.answer()
        #expect(harness.acceptor.queries == ["user_id=1&login=alice"])
        let sent = try harness.sent()
        let retry = try #require(sent.firstMatch(of: /retry: ([0-9]+)/)?.1)
        #expect(
            sent == "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
                + "x-accel-buffering: no\r\nx-line: 1\r\nconnection: close\r\n\r\nretry: \(retry)\n\nfirst"
        )
        #expect(harness.session.drainedCount == 1)
        #expect(harness.group.connectionCount == 1)
        harness.push("live")
        #expect(try harness.sent() == "event: t\ndata: \"live\"\n\n")
    }

    @Test("browsers of a lost pod are told to come back at different times")
    func retries() throws {
        let retries = try (0..<100).map { _ in
            let harness = try StreamHarness()
            harness.answer()
            let retry = try #require(try harness.sent().firstMatch(of: /retry: ([0-9]+)/)?.1)
            return try #require(Int(retry))
        }
        #expect(retries.allSatisfy { (1_000...3_000).contains($0) })
        #expect(Set(retries).count > 50)
    }

    @Test("an empty Last-Event-ID is none", arguments: [(nil, nil), ("", nil), ("1-0", "1-0")] as [(String?, String?)])
    func lastEventID(given: String?, heard: String?) throws {
        let harness = try StreamHarness()
        harness.answer(lastEventID: given)
        #expect(harness.acceptor.lastEventIDs == [heard])
    }

    @Test("a problem is the whole answer", arguments: [false, true])
    func refused(isHead: Bool) throws {
        let harness = try StreamHarness()
        let problem = Problem(status: 503, code: "c", title: "No", detail: "d", retryAfterSeconds: 1)
        harness.acceptor.problem = problem
        harness.answer(isHead: isHead)
        let head = "HTTP/1.1 503 No\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n"
        let length =
            "content-length: \(problem.json.utf8.count)\r\nretry-after: 1\r\nx-line: 1\r\nconnection: close\r\n\r\n"
        #expect(try harness.sent() == head + length + (isHead ? "" : problem.json))
        #expect(harness.wire.isOutputClosed)
        #expect(harness.observer.refused == [503])
        #expect(harness.group.connectionCount == 0)
        harness.loop.advanceTime(by: .seconds(3))
        #expect(!harness.channel.isActive)
    }

    @Test("a stopping pod has those who come now come back")
    func draining() throws {
        let harness = try StreamHarness()
        harness.acceptor.problem = .draining
        harness.answer()
        let parts = try harness.sent().split(separator: "\r\n\r\n")
        #expect(parts.first?.hasPrefix("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream") == true)
        let retry = try #require(parts.last?.wholeMatch(of: /retry: ([0-9]+)\n\n/))
        #expect((100...1_000).contains(Int(retry.1) ?? 0))
        #expect(harness.wire.isOutputClosed)
        #expect(harness.group.connectionCount == 0)
    }

    @Test("HEAD is answered with the head, and no device comes of it")
    func head() throws {
        let harness = try StreamHarness()
        harness.answer(isHead: true)
        let text = try harness.sent()
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.hasSuffix("connection: close\r\n\r\n"))
        #expect(harness.session.openedCount == 0 && harness.session.closedCount == 1)
        #expect(harness.wire.isOutputClosed)
    }

    @Test("a heartbeat in each interval")
    func heartbeat() throws {
        var settings = ConnectionSettings()
        settings.pingInterval = .seconds(5)
        let harness = try StreamHarness.open(settings)
        for _ in 0..<3 {
            harness.loop.advanceTime(by: .seconds(5))
            #expect(try harness.sent() == ":\n\n")
        }
    }

    @Test("stopping: what was sent before, the hint, and the end")
    func sentAway() throws {
        let harness = try StreamHarness.open()
        harness.push("last")
        harness.connection.sendAway(pauseMilliseconds: 412)
        harness.push("dropped")
        #expect(try harness.sent() == "event: t\ndata: \"last\"\n\nretry: 412\n\n")
        #expect(harness.wire.isOutputClosed)
        #expect(harness.session.closedCount == 0)
        // The client has a moment to take it and close.
        harness.loop.advanceTime(by: .seconds(1))
        #expect(harness.channel.isActive)
        harness.loop.advanceTime(by: .seconds(2))
        #expect(!harness.channel.isActive)
        #expect(harness.session.closedCount == 1)
        #expect(harness.observer.closed == [.goingAway])
    }

    @Test("ids that went back: an event that makes browsers forget theirs")
    func resync() throws {
        let harness = try StreamHarness.open()
        harness.connection.demandResync()
        #expect(try harness.sent().hasPrefix("event: session.end\nid:\ndata: {"))
        #expect(harness.wire.isOutputClosed)
    }

    @Test("cut off over the cap, not under or at it", arguments: [(-1, true), (0, true), (1, false)])
    func outboxCap(over: Int, staysOpen: Bool) throws {
        var settings = ConnectionSettings()
        settings.outboxBytes = 200_000
        let harness = try StreamHarness.open(settings)
        harness.wire.stall()
        for _ in 0..<19 {
            harness.connection.send(ByteBuffer(repeating: 0x78, count: 10_000))
            harness.loop.run()
        }
        harness.connection.send(ByteBuffer(repeating: 0x78, count: 10_000 + over))
        harness.loop.run()
        #expect(harness.connection.isOpen == staysOpen)
        #expect(harness.channel.isActive == staysOpen)
        if !staysOpen {
            #expect(harness.session.closedCount == 1)
            #expect(harness.observer.closed == [.tryAgainLater])
        }
    }

    @Test("what comes behind the request means nothing, up to a bound", arguments: [(0, true), (1, false)])
    func ignored(over: Int, staysOpen: Bool) throws {
        let harness = try StreamHarness.open()
        let limit = EventStreamConnection.ignoredLimit
        try harness.channel.writeInbound(ByteBuffer(repeating: 0x78, count: limit - 10))
        #expect(harness.connection.isOpen)
        try harness.channel.writeInbound(ByteBuffer(repeating: 0x78, count: 10 + over))
        harness.loop.run()
        #expect(harness.connection.isOpen == staysOpen)
        #expect(harness.session.messages.isEmpty)
    }

    @Test("the client's end is the stream's end")
    func halfClosed() throws {
        let harness = try StreamHarness.open()
        harness.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        harness.loop.run()
        #expect(!harness.channel.isActive)
        #expect(harness.session.closedCount == 1)
        #expect(harness.group.connectionCount == 0)
    }
}
