import NIOCore
import NIOEmbedded
import Testing

@testable import CarillonRealtime

@Suite("An open socket")
struct WebSocketConnectionTests {
    @Test("hands on messages and answers pings, split at every byte")
    func messages() throws {
        let bytes =
            ClientFrame.text("one") + ClientFrame.ping("p") + ClientFrame.text("tw", final: false)
            + ClientFrame.frame(0x8a, []) + ClientFrame.continuation("o", final: true)
        for size in 1...bytes.count {
            let harness = try Harness.open()
            try harness.receive(bytes, inPiecesOf: size)
            #expect(harness.session.messages == ["one", "two"])
            #expect(try harness.sentFrames() == [ServerFrame(first: 0x8a, payload: [0x70])])
        }
    }

    @Test("echoes the peer's close code and ends", arguments: [nil, 1000, 1001, 3000, 4999] as [UInt16?])
    func echoesClose(code: UInt16?) throws {
        let harness = try Harness.open()
        try harness.receive(ClientFrame.close(code, code == nil ? "" : "bye") + ClientFrame.text("after"))
        let payload = code.map { [UInt8($0 >> 8), UInt8($0 & 0xff)] } ?? []
        #expect(try harness.sentFrames() == [ServerFrame(first: 0x88, payload: payload)])
        #expect(!harness.channel.isActive)
        #expect(harness.session.messages == [])
        #expect(harness.session.closedCount == 1)
    }

    @Test(
        "answers a violation with its code, ends its side, and throws away what comes",
        arguments: [
            ([0x81, 0x00], 1002), (ClientFrame.frame(0x82, [1]), 1003), (ClientFrame.frame(0x81, [0xff]), 1007),
            (ClientFrame.header(0x81, length: 65_537) + [0, 0, 0, 0], 1009), (ClientFrame.close(1005), 1002),
        ] as [([UInt8], Int)]
    )
    func violation(bytes: [UInt8], code: Int) throws {
        let harness = try Harness.open()
        try harness.receive(bytes + ClientFrame.text("after"))
        #expect(try harness.sentFrames().map(\.closeCode) == [code])
        #expect(harness.wire.isOutputClosed)
        #expect(harness.channel.isActive)
        #expect(!harness.connection.isOpen)
        try harness.receive(ClientFrame.text("later") + ClientFrame.ping())
        #expect(try harness.sent() == [])
        #expect(harness.session.messages == [])
        #expect(harness.session.closedCount == 0)
        harness.advance(seconds: 2)
        #expect(!harness.channel.isActive)
        #expect(harness.session.closedCount == 1)
        #expect(harness.observer.closed.map { $0.map { Int($0.rawValue) } } == [code])
    }

    @Test("says close after what was sent before, ignores data, and ends on the peer's close")
    func closes() throws {
        let harness = try Harness.open()
        harness.connection.send(.text("last"))
        harness.connection.close(code: .goingAway, reason: "3")
        harness.connection.close(code: .normal)
        harness.connection.send(.text("dropped"))
        harness.loop.run()
        let frames = try harness.sentFrames()
        #expect(frames.map(\.first) == [0x81, 0x88])
        #expect(frames[1].payload == [3, 0xe9, 0x33])
        try harness.receive(ClientFrame.text("ignored") + ClientFrame.ping())
        #expect(harness.session.messages == [])
        #expect(try harness.sent() == [])
        #expect(harness.channel.isActive)
        try harness.receive(ClientFrame.close(1001))
        #expect(!harness.channel.isActive)
        #expect(harness.session.closedCount == 1)
        #expect(harness.observer.closed == [.goingAway])
    }

    @Test("ends two seconds after a close that stays unanswered")
    func closeTimeout() throws {
        let harness = try Harness.open()
        harness.connection.close(code: .normal)
        harness.advance(seconds: 1)
        #expect(harness.channel.isActive)
        harness.advance(seconds: 1)
        #expect(!harness.channel.isActive)
        #expect(harness.session.closedCount == 1)
    }

    @Test("does not reach a session that closed inside a message with the rest of the read")
    func closeInsideMessage() throws {
        let harness = try Harness.open()
        harness.session.onMessage = { [connection = harness.connection] in connection.close(code: .normal) }
        try harness.receive(ClientFrame.text("1") + ClientFrame.text("2"))
        #expect(harness.session.messages == ["1"])
    }

    @Test("is closed when the peer goes without a word")
    func peerGone() throws {
        let harness = try Harness.open()
        harness.connection.send(.text("never written"))
        harness.channel.close(promise: nil)
        harness.loop.run()
        #expect(harness.session.closedCount == 1)
        #expect(harness.group.connectionCount == 0)
        #expect(harness.observer.closed == [nil])
        harness.connection.send(.text("to nobody"))
        harness.connection.close(code: .normal)
        harness.advance(seconds: 100)
        #expect(harness.session.closedCount == 1)
        #expect(try harness.sent() == [])
    }

    @Test("is closed by the end of the peer's side, and by an error")
    func halfClosed() throws {
        let ended = try Harness.open()
        ended.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(ended.session.closedCount == 1)
        let failed = try Harness.open()
        failed.channel.pipeline.fireErrorCaught(ChannelError.ioOnClosedChannel)
        #expect(failed.session.closedCount == 1)
    }

    @Test("nothing keeps a closed socket alive")
    func leavesNothing() throws {
        weak var connection: WebSocketConnection?
        weak var session: RecordingSession?
        let loop = EmbeddedEventLoop()
        try {
            let harness = try Harness.open(loop: loop)
            connection = harness.connection
            session = harness.session
            harness.connection.send(.text("x"))
            harness.channel.close(promise: nil)
            loop.advanceTime(by: .seconds(1))
            harness.group.stop()
        }()
        loop.run()
        #expect(connection == nil)
        #expect(session == nil)
    }
}
