import Glibc
import NIOCore

/// One connection of a pod through a proxy, and the one to Redis behind it.
///
/// What arrives at one end waits in the queue of the other until it is due: at once, later, or not before the link heals. The end
/// of a connection waits in the same queue, so it never overtakes what was sent before it.
///
/// - Isolation: the event loop
final class ProxyConnection {
    /// An end of the link.
    enum Side {
        case pod
        case redis
    }

    private enum Item {
        case bytes(ByteBuffer)
        case end
    }

    /// What is under way to one end.
    private final class Queue {
        var items = CircularBuffer<(due: NIODeadline, item: Item)>()
        var channel: (any Channel)?
    }

    private let links: ProxyLinks
    private let toPod = Queue()
    private let toRedis = Queue()
    private var isReset = false
    private var openEnds = 2
    /// XREAD was spoken here: the connection on which the pod hears from other pods.
    private var isBus = false
    /// The last bytes of what the pod sent before, in which the word may begin.
    private var tail: [UInt8] = []

    private static let xread = Array("$5\r\nXREAD\r\n".utf8)
    /// What Redis answers where nothing came within the time to wait.
    private static let nothingHeard = ByteBuffer(string: "*-1\r\n")
    private static let silence = TimeAmount.seconds(1)

    init(pod: any Channel, links: ProxyLinks) {
        self.links = links
        toPod.channel = pod
    }

    func connected(_ redis: any Channel) {
        guard !isReset else { return Self.reset(redis) }
        toRedis.channel = redis
        release(toRedis)
    }

    func received(_ bytes: ByteBuffer, from side: Side) {
        switch side {
        case .redis: add(.bytes(bytes), to: toPod)
        case .pod:
            recognise(bytes)
            let rest = links.mode == .deaf && isBus ? withoutReads(bytes) : bytes
            if rest.readableBytes > 0 { add(.bytes(rest), to: toRedis) }
        }
    }

    func closed(_ side: Side) {
        switch side {
        case .pod: add(.end, to: toRedis)
        case .redis: add(.end, to: toPod)
        }
        openEnds -= 1
        if openEnds == 0 { links.ended(self) }
    }

    func modeChanged(from former: TCPProxy.Mode) {
        if links.mode == .cut { return reset() }
        if former == .blackhole(.dropped), !toPod.items.isEmpty || !toRedis.items.isEmpty { return reset() }
        postpone(toPod)
        postpone(toRedis)
        release(toPod)
        release(toRedis)
    }

    /// Ends both connections without a word.
    func reset() {
        guard !isReset else { return }
        isReset = true
        toPod.items.removeAll()
        toRedis.items.removeAll()
        links.ended(self)
        for channel in [toPod.channel, toRedis.channel] { channel.map(Self.reset) }
    }

    /// Closes a connection so that its peer sees a reset.
    static func reset(_ channel: any Channel) {
        // Fails only where it is closed already.
        _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        channel.close(promise: nil)
    }

    // MARK: - What is under way

    /// When what is sent now arrives.
    private var due: NIODeadline {
        switch links.mode {
        case .pass, .cut, .deaf: .now()
        case .delay(let time): .now() + time
        case .blackhole: .distantFuture
        }
    }

    private func add(_ item: Item, to queue: Queue) {
        guard !isReset else { return }
        let due = due
        queue.items.append((due, item))
        if case .delay = links.mode { schedule(at: due) }
        release(queue)
    }

    private func schedule(at due: NIODeadline) {
        let connection = NIOLoopBound(self, eventLoop: links.eventLoop)
        links.eventLoop.scheduleTask(deadline: due) {
            connection.value.release(connection.value.toPod)
            connection.value.release(connection.value.toRedis)
        }
    }

    /// The link has changed, and with it when things arrive that are under way.
    private func postpone(_ queue: Queue) {
        let due = due
        for index in queue.items.indices {
            if case .delay = links.mode {
                queue.items[index].due = min(queue.items[index].due, due)
            } else {
                queue.items[index].due = due
            }
        }
        if case .delay = links.mode, !queue.items.isEmpty { schedule(at: due) }
    }

    /// Writes what is due.
    private func release(_ queue: Queue) {
        guard let channel = queue.channel, let first = queue.items.first, first.due <= .now() else { return }
        let now = NIODeadline.now()
        var hasEnded = false
        while let next = queue.items.first, next.due <= now, !hasEnded {
            queue.items.removeFirst()
            switch next.item {
            case .bytes(let bytes): channel.write(bytes, promise: nil)
            case .end: hasEnded = true
            }
        }
        channel.flush()
        if hasEnded { channel.close(promise: nil) }
    }

    // MARK: - Deafness

    private func recognise(_ bytes: ByteBuffer) {
        guard !isBus else { return }
        let seen = tail + bytes.readableBytesView
        isBus = seen.withUnsafeBytes(Self.offsetOfXREAD) != nil
        tail = seen.suffix(Self.xread.count - 1)
    }

    /// Byte by byte: the search of collections takes microseconds for each, and all that a pod asks Redis for would wait for it.
    private static func offsetOfXREAD(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress, bytes.count >= xread.count else { return nil }
        return (0...bytes.count - xread.count).first {
            bytes[$0] == xread[0] && memcmp(base + $0, xread, xread.count) == 0
        }
    }

    /// Takes XREADs out of what the pod says and answers them itself.
    ///
    /// A pod has at most one XREAD on its way and writes it whole and last, so it begins with the array header just before its
    /// name and ends with the bytes.
    private func withoutReads(_ bytes: ByteBuffer) -> ByteBuffer {
        let view = bytes.readableBytesView
        guard let name = bytes.withUnsafeReadableBytes(Self.offsetOfXREAD),
            let header = view[..<(view.startIndex + name)].lastIndex(of: UInt8(ascii: "*"))
        else { return bytes }
        let connection = NIOLoopBound(self, eventLoop: links.eventLoop)
        links.eventLoop.scheduleTask(in: Self.silence) {
            connection.value.add(.bytes(Self.nothingHeard), to: connection.value.toPod)
        }
        return bytes.getSlice(at: bytes.readerIndex, length: header - bytes.readerIndex) ?? ByteBuffer()
    }
}

@available(*, unavailable)
extension ProxyConnection: Sendable {}

/// One end of a proxied connection in NIO's pipeline.
final class ProxyEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: ProxyConnection
    private let side: ProxyConnection.Side

    init(_ connection: ProxyConnection, side: ProxyConnection.Side) {
        self.connection = connection
        self.side = side
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.received(unwrapInboundIn(data), from: side)
    }

    func channelInactive(context: ChannelHandlerContext) { connection.closed(side) }

    /// A broken connection is closed like any other; the other end learns of it that way.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@available(*, unavailable)
extension ProxyEnd: Sendable {}
