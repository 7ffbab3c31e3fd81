import CarillonTestSupport
import NIOCore
import NIOEmbedded
import Testing

@testable import CarillonRealtime

@Suite("Sending")
struct WebSocketSendingTests {
    @Test("writes all frames of a tick at once, in order")
    func coalesces() throws {
        let harness = try Harness.open()
        for number in 1...5 { harness.connection.send(.text("\(number)")) }
        #expect(harness.wire.writes == 0)
        harness.loop.run()
        #expect(harness.wire.writes == 1)
        #expect(harness.observer.wrote == [.init(frames: 5, bytes: 15)])
        #expect(try harness.sentFrames().map(\.text) == ["1", "2", "3", "4", "5"])
        harness.connection.send(.text("6"))
        harness.loop.run()
        #expect(harness.wire.writes == 2)
    }

    @Test("does not copy the only frame of a tick")
    func sharesFrame() throws {
        let harness = try Harness.open()
        let frame = ByteBuffer.text("shared by all of a user's devices")
        harness.connection.send(frame)
        harness.loop.run()
        let written = try #require(try harness.channel.readOutbound(as: ByteBuffer.self))
        let addresses = [frame, written].map { $0.withUnsafeReadableBytes { $0.baseAddress } }
        #expect(addresses[0] == addresses[1])
    }

    @Test("flushes every socket of the group in one task")
    func oneTaskPerTick() throws {
        let loop = EmbeddedEventLoop()
        let settings = ConnectionSettings()
        let first = try Harness.open(settings, loop: loop)
        let channel = EmbeddedChannel(loop: loop)
        let acceptor = RecordingAcceptor()
        let second = WebSocketConnection(acceptor: acceptor, group: first.group)
        try channel.pipeline.syncOperations.addHandler(second)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 2)).wait()
        try channel.writeInbound(ByteBuffer(string: Upgrade.request))
        _ = try channel.readOutbound(as: ByteBuffer.self)
        let frame = ByteBuffer.text("both")
        first.connection.send(frame)
        second.send(frame)
        second.send(frame)
        loop.run()
        #expect(try first.sentFrames().map(\.text) == ["both"])
        #expect(try channel.readOutbound(as: ByteBuffer.self)?.readableBytes == 12)
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        #expect(first.group.connectionCount == 2)
    }

    @Test("keeps live and bulk frames in order and asks for more when they are taken")
    func bulk() throws {
        let harness = try Harness.open()
        harness.connection.sendBulk(.text("page"))
        harness.connection.send(.text("live"))
        harness.connection.sendBulk(.text("more"))
        #expect(harness.session.drainedCount == 0)
        harness.loop.run()
        #expect(try harness.sentFrames().map(\.text) == ["page", "live", "more"])
        #expect(harness.session.drainedCount == 1)
        harness.connection.send(.text("live only"))
        harness.loop.run()
        #expect(harness.session.drainedCount == 1)
    }

    @Test("pages as the socket takes them, and hands the channel no more than it wants")
    func pages() throws {
        let harness = try Harness.open()
        var pages = 0
        harness.session.onDrained = { [connection = harness.connection] in
            guard pages < 9 else { return }
            pages += 1
            connection.sendBulk(.frame(bytes: 40_000))
        }
        harness.wire.stall()
        for _ in 0..<5 { harness.connection.sendBulk(.frame(bytes: 40_000)) }
        harness.loop.run()
        #expect(harness.wire.writes == 2)
        #expect(harness.session.drainedCount == 0)
        harness.wire.take()
        harness.loop.run()
        #expect(harness.session.drainedCount == 10)
        #expect(try harness.sentFrames().count == 14)
        #expect(harness.connection.isOpen)
    }

    @Test("bulk frames do not count towards the cap")
    func bulkIsNotCounted() throws {
        var settings = ConnectionSettings()
        settings.outboxBytes = 100_000
        let harness = try Harness.open(settings)
        harness.wire.stall()
        for _ in 0..<20 { harness.connection.sendBulk(.frame(bytes: 40_000)) }
        harness.loop.run()
        harness.connection.send(.frame(bytes: 100_000))
        harness.loop.run()
        #expect(harness.connection.isOpen)
        harness.connection.send(.frame(bytes: 10))
        #expect(!harness.connection.isOpen)
    }

    @Test(
        "closes a slow device with 1013 over the cap, not under or at it",
        arguments: [(-1, true), (0, true), (1, false)]
    )
    func outboxCap(over: Int, staysOpen: Bool) throws {
        var settings = ConnectionSettings()
        settings.outboxBytes = 200_000
        let harness = try Harness.open(settings)
        harness.wire.stall()
        for _ in 0..<19 {
            harness.connection.send(.frame(bytes: 10_000))
            harness.loop.run()
        }
        harness.connection.send(.frame(bytes: 10_000 + over))
        harness.loop.run()
        #expect(harness.connection.isOpen == staysOpen)
        harness.connection.send(.frame(bytes: 20))
        #expect(!harness.connection.isOpen)
        harness.connection.send(.frame(bytes: 20))
        #expect(harness.session.closedCount == 0)
        harness.advance(seconds: 1)
        #expect(harness.channel.isActive)
        harness.advance(seconds: 1)
        #expect(!harness.channel.isActive)
        #expect(harness.session.closedCount == 1)
        #expect(harness.observer.closed == [.tryAgainLater])
    }

    @Test("says 1013 behind whole frames, without what was queued")
    func slowCloseFrame() throws {
        var settings = ConnectionSettings()
        settings.outboxBytes = 200_000
        let harness = try Harness.open(settings)
        harness.wire.stall()
        for _ in 0..<21 { harness.connection.send(.frame(bytes: 10_000)) }
        harness.loop.run()
        harness.wire.take()
        let frames = try harness.sentFrames()
        #expect(frames.last?.closeCode == 1013)
        #expect(frames.dropLast().allSatisfy { $0.payload.count == 9996 })
        #expect(frames.count < 10)
        try harness.receive(ClientFrame.close(1013))
        #expect(!harness.channel.isActive)
    }

    @Test("a device that takes everything may be sent more than the cap, over time and in one tick")
    func fastDevice() throws {
        var settings = ConnectionSettings()
        settings.outboxBytes = 100_000
        let harness = try Harness.open(settings)
        for _ in 0..<50 {
            harness.connection.send(.frame(bytes: 10_000))
            harness.loop.run()
        }
        for _ in 0..<50 { harness.connection.send(.frame(bytes: 10_000)) }
        harness.loop.run()
        #expect(harness.connection.isOpen)
        #expect(try harness.sentFrames().count == 100)
    }

    @Test("one frame longer than the cap goes to a device that has taken everything before")
    func longFrame() throws {
        var settings = ConnectionSettings()
        settings.outboxBytes = 100_000
        let harness = try Harness.open(settings)
        harness.connection.send(.frame(bytes: 250_000))
        harness.loop.run()
        #expect(harness.connection.isOpen)
        #expect(try harness.sentFrames().count == 1)
        harness.wire.stall()
        harness.connection.send(.frame(bytes: 250_000))
        harness.loop.run()
        #expect(harness.connection.isOpen)
        harness.connection.send(.frame(bytes: 10))
        #expect(!harness.connection.isOpen)
    }

    @Test("is not read from while it does not take what it is sent")
    func stopsReading() throws {
        let harness = try Harness.open()
        harness.wire.stall()
        harness.connection.sendBulk(.frame(bytes: 70_000))
        harness.loop.run()
        harness.wire.reads = 0
        try harness.receive(ClientFrame.ping("a"))
        #expect(harness.wire.reads == 0)
        harness.wire.take()
        #expect(harness.wire.reads == 1)
        #expect(try harness.sentFrames().last == ServerFrame(first: 0x8a, payload: [0x61]))
    }

    @Test("is read from again when it is closed, so that its close is heard")
    func readsWhenClosing() throws {
        let harness = try Harness.open()
        harness.wire.stall()
        harness.connection.sendBulk(.frame(bytes: 70_000))
        harness.loop.run()
        harness.wire.reads = 0
        try harness.receive(ClientFrame.text("x"))
        #expect(harness.wire.reads == 0)
        harness.connection.close(code: .goingAway)
        #expect(harness.wire.reads == 1)
    }
}

@Suite("Outbox")
struct WebSocketOutboxTests {
    @Test(
        "joins small frames up to 16 KiB and leaves larger ones alone",
        arguments: [
            ([100], [1]), ([100, 100], [2]), ([8192, 8192], [2]), ([8192, 8193], [1, 1]), ([16_384, 1], [1, 1]),
            ([20_000, 20_000], [1, 1]), ([1, 20_000, 1, 1], [1, 1, 2]), ([], []),
        ] as [([Int], [Int])]
    )
    func joins(sizes: [Int], batches: [Int]) {
        var outbox = Outbox()
        for (index, size) in sizes.enumerated() {
            outbox.append(ByteBuffer(repeating: UInt8(index), count: size), isLive: index % 2 == 0)
        }
        var bytes: [UInt8] = []
        var frames: [Int] = []
        var live = outbox.liveBytes
        while let batch = outbox.next() {
            bytes += batch.bytes.readableBytesView
            frames.append(batch.frames)
            live -= batch.liveBytes
            #expect(live == outbox.liveBytes)
        }
        #expect(frames == batches)
        #expect(bytes == sizes.enumerated().flatMap { Array(repeating: UInt8($0), count: $1) })
        #expect(outbox.isEmpty)
        #expect(outbox.liveBytes == 0)
    }

    @Test("keeps its order over thousands of appends and takes")
    func order() {
        var outbox = Outbox()
        var random = SeededGenerator(seed: 77)
        var written: [UInt8] = []
        var read: [UInt8] = []
        for step in 0..<5000 {
            let value = UInt8(truncatingIfNeeded: step)
            outbox.append(ByteBuffer(repeating: value, count: 9000), isLive: true)
            written.append(value)
            while Int.random(in: 0..<100, using: &random) < 48, let batch = outbox.next() {
                read.append(batch.bytes.readableBytesView[0])
            }
        }
        while let batch = outbox.next() { read.append(batch.bytes.readableBytesView[0]) }
        #expect(read == written)
    }
}
