import NIOCore
import NIOEmbedded
import Testing

@testable import CarillonRealtime

@Suite("Pings, floods and other clocks")
struct WebSocketTimeTests {
    @Test("pings every 25 seconds and keeps a device that answers")
    func pings() throws {
        let harness = try Harness.open()
        for round in 0..<5 {
            var seconds: [Int] = []
            for second in 0..<25 {
                harness.advance(seconds: 1)
                if try harness.sentFrames() == [ServerFrame(first: 0x89, payload: [])] { seconds.append(second) }
            }
            #expect(seconds.count == 1, "round \(round)")
            try harness.receive(ClientFrame.frame(0x8a, []))
        }
        #expect(harness.connection.isOpen)
    }

    @Test("takes a single byte for life")
    func anyByte() throws {
        let harness = try Harness.open()
        let bytes = ClientFrame.text("slow")
        for byte in bytes {
            harness.advance(seconds: 50)
            try harness.receive([byte])
        }
        #expect(harness.session.messages == ["slow"])
        #expect(harness.connection.isOpen)
    }

    @Test("closes a device that left two pings unanswered where the third would go out")
    func silent() throws {
        let harness = try Harness.open()
        var pings = 0
        var seconds = 0
        var last: [ServerFrame] = []
        while harness.channel.isActive, seconds < 200 {
            harness.advance(seconds: 1)
            seconds += 1
            last = try harness.sentFrames()
            if last.first?.first == 0x89 { pings += 1 }
        }
        #expect(pings == 2)
        #expect((51...75).contains(seconds))
        #expect(last.map(\.closeCode) == [1001])
        #expect(harness.observer.timeouts == 1)
        #expect(harness.session.closedCount == 1)
        #expect(harness.group.connectionCount == 0)
    }

    @Test("does not take a device for silent that it does not read from itself")
    func heldBack() throws {
        var settings = ConnectionSettings()
        settings.pingInterval = .seconds(3)
        let harness = try Harness.open(settings)
        // Twenty seconds' worth, whose pongs wait behind what is not read.
        try harness.receive((0..<4_400).flatMap { _ in ClientFrame.text("x") })
        for second in 1...19 {
            harness.advance(seconds: 1)
            #expect(harness.connection.isOpen, "after \(second) s")
        }
        #expect(harness.observer.timeouts == 0)
        // Read from again, it is as silent as any other.
        harness.advance(seconds: 12)
        #expect(harness.observer.timeouts == 1)
    }

    @Test("deals sockets to all seconds of the interval, and forgets those that go")
    func spread() throws {
        let loop = EmbeddedEventLoop()
        let group = ConnectionGroup(eventLoop: loop)
        var channels: [EmbeddedChannel] = []
        for port in 1...100 {
            let channel = EmbeddedChannel(loop: loop)
            let connection = WebSocketConnection(acceptor: RecordingAcceptor(), group: group)
            try channel.pipeline.syncOperations.addHandler(connection)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: port)).wait()
            try channel.writeInbound(ByteBuffer(string: Upgrade.request))
            _ = try channel.readOutbound(as: ByteBuffer.self)
            channels.append(channel)
        }
        for index in [0, 25, 50, 99, 3] { channels[index].close(promise: nil) }
        loop.run()
        #expect(group.connectionCount == 95)
        var perSecond: [Int] = []
        for _ in 0..<25 {
            loop.advanceTime(by: .seconds(1))
            perSecond.append(try channels.count { try $0.readOutbound(as: ByteBuffer.self) != nil })
        }
        #expect(perSecond.reduce(0, +) == 95)
        #expect(perSecond.allSatisfy { $0 <= 4 })
        var count = 0
        group.forEachConnection { _ in count += 1 }
        #expect(count == 95)
        group.stop()
        #expect(group.connectionCount == 0)
        #expect(channels.allSatisfy { !$0.isActive })
    }

    @Test("pings many sockets of one second a few at a time")
    func portions() throws {
        let loop = EmbeddedEventLoop()
        var settings = ConnectionSettings()
        settings.pingInterval = .seconds(1)
        let group = ConnectionGroup(eventLoop: loop, settings: settings)
        var channels: [EmbeddedChannel] = []
        for port in 1...40 {
            let channel = EmbeddedChannel(loop: loop)
            let connection = WebSocketConnection(acceptor: RecordingAcceptor(), group: group)
            try channel.pipeline.syncOperations.addHandler(connection)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: port)).wait()
            try channel.writeInbound(ByteBuffer(string: Upgrade.request))
            _ = try channel.readOutbound(as: ByteBuffer.self)
            channels.append(channel)
        }
        var pinged: [Int] = []
        loop.advanceTime(by: .milliseconds(999))
        for pause in [Int64(1), 100, 100, 100] {
            loop.advanceTime(by: .milliseconds(pause))
            pinged.append(try channels.count { try $0.readOutbound(as: ByteBuffer.self) != nil })
        }
        #expect(pinged == [16, 16, 8, 0])
        group.stop()
    }

    @Test("gives a handshake 10 seconds, however it dribbles")
    func handshakeTimeout() throws {
        let harness = try Harness()
        for byte in Upgrade.request.utf8.prefix(9) {
            try harness.receive([byte])
            harness.advance(seconds: 1)
        }
        #expect(harness.channel.isActive)
        harness.advance(seconds: 1)
        #expect(!harness.channel.isActive)
        #expect(harness.session.closedCount == 0)
    }

    @Test("an upgraded socket outlives the handshake's time")
    func handshakeInTime() throws {
        let harness = try Harness.open()
        harness.advance(seconds: 11)
        #expect(harness.connection.isOpen)
    }

    @Test("stops reading over the burst, not under or at it", arguments: [(399, false), (400, false), (401, true)])
    func burst(frames: Int, isStopped: Bool) throws {
        let harness = try Harness.open()
        harness.wire.reads = 0
        try harness.receive((0..<frames).flatMap { _ in ClientFrame.text("x") })
        #expect(harness.session.messages.count == frames)
        #expect((harness.wire.reads == 0) == isStopped)
        #expect(harness.observer.throttles == (isStopped ? 1 : 0))
        harness.advance(seconds: 2)
        #expect(harness.wire.reads == 1)
        #expect(harness.connection.isOpen)
    }

    @Test("reads on as soon as no more than the burst is owed, not at the next second", arguments: [420, 500])
    func readsOn(frames: Int) throws {
        let harness = try Harness.open()
        harness.wire.reads = 0
        try harness.receive((0..<frames).flatMap { _ in ClientFrame.text("x") })
        let owed = Int64(frames - 400) * 5
        harness.loop.advanceTime(by: .milliseconds(owed - 1))
        #expect(harness.wire.reads == 0)
        harness.loop.advanceTime(by: .milliseconds(1))
        #expect(harness.wire.reads == 1)
        try harness.receive(ClientFrame.text("x"))
        #expect(harness.observer.throttles == 2)
    }

    @Test(
        "counts pings, pongs and fragments like messages",
        arguments: [
            ClientFrame.ping(), ClientFrame.frame(0x8a, []), ClientFrame.continuation("", final: false),
        ]
    )
    func countsAllFrames(frame: [UInt8]) throws {
        let harness = try Harness.open()
        try harness.receive(ClientFrame.text("", final: false) + (0..<399).flatMap { _ in frame })
        #expect(harness.observer.throttles == 0)
        try harness.receive(frame)
        #expect(harness.observer.throttles == 1)
    }

    @Test("lets a device send at its rate for ever")
    func steadyRate() throws {
        let harness = try Harness.open()
        for _ in 0..<60 {
            try harness.receive((0..<200).flatMap { _ in ClientFrame.text("x") })
            harness.advance(seconds: 1)
        }
        #expect(harness.observer.throttles == 0)
        #expect(harness.connection.isOpen)
    }

    @Test("closes with 4429 a device that keeps it up for 30 seconds, not sooner")
    func flood() throws {
        let harness = try Harness.open()
        var seconds = 0
        while harness.connection.isOpen, seconds < 60 {
            // What the kernel would hold back is not delivered while the socket is not read from.
            harness.wire.reads = 0
            try harness.receive((0..<500).flatMap { _ in ClientFrame.text("x") })
            while harness.wire.reads == 0, seconds < 60 {
                harness.advance(seconds: 1)
                seconds += 1
            }
        }
        #expect((29...31).contains(seconds))
        #expect(harness.observer.throttles > 3)
        #expect(try harness.sentFrames().compactMap(\.closeCode) == [4429])
        harness.advance(seconds: 2)
        #expect(!harness.channel.isActive)
        #expect(harness.observer.closed == [.tooManyRequests])
    }

    @Test("forgets a burst that was followed by calm")
    func calm() throws {
        let harness = try Harness.open()
        for _ in 0..<10 {
            try harness.receive((0..<500).flatMap { _ in ClientFrame.text("x") })
            harness.advance(seconds: 6)
        }
        #expect(harness.observer.throttles == 10)
        #expect(harness.connection.isOpen)
    }

    @Test("works with other settings", arguments: [1, 3])
    func settings(interval: Int64) throws {
        var settings = ConnectionSettings()
        settings.pingInterval = .seconds(interval)
        let harness = try Harness.open(settings)
        harness.advance(seconds: interval)
        #expect(try harness.sentFrames().map(\.first) == [0x89])
    }
}
