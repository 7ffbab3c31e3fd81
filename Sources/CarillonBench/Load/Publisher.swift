internal import CarillonLoad
internal import CarillonSocket
internal import NIOCore

/// One connection that publishes, one message at a time; what comes meanwhile waits.
///
/// - Isolation: the event loop
final class Publisher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let number: Int
    private unowned let desk: PublisherDesk
    private var context: ChannelHandlerContext?
    private var socket = DirectSocket.none
    private var pending = ByteBuffer()
    private var searched = 0
    private var head: HTTPHead?
    private var waiting = CircularBuffer<ByteBuffer>()
    private var isBusy = false

    init(number: Int, desk: PublisherDesk) {
        self.number = number
        self.desk = desk
    }

    /// Nothing is under way, and nothing waits.
    var isIdle: Bool { !isBusy && waiting.isEmpty }

    func connect() {
        let bound = NIOLoopBound(self, eventLoop: desk.eventLoop)
        LoadConnector.connect(desk.eventLoop, to: desk.address(of: number), timeout: .seconds(10), handler: self)
            .whenFailure { _ in bound.value.lost() }
    }

    func close() { context?.close(promise: nil) }

    func publish(_ message: ByteBuffer) {
        guard let context, !isBusy else { return waiting.append(message) }
        isBusy = true
        guard let rest = socket.send(message) else { return }
        context.writeAndFlush(wrapOutboundOut(rest)).assumeIsolated().whenComplete { [self] _ in socket.channelWrote() }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        if let hello = desk.hello(of: number) { context.writeAndFlush(wrapOutboundOut(hello), promise: nil) }
        // TLS has to see what is written.
        if desk.address(of: number).tls == nil { socket = DirectSocket(context.channel) }
        desk.connected(self)
        publishNext()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if pending.readableBytes == 0 { pending = bytes } else { pending.writeBuffer(&bytes) }
        switch desk.wire.publishing {
        case .http: readAnswers()
        case .lines(_, _, let answer): readLines(answer)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { lost() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func readAnswers() {
        do throws(LoadError) {
            while true {
                if head == nil { head = try HTTPHead.read(from: &pending, searched: &searched) }
                guard let head, pending.readSlice(length: head.contentLength ?? 0) != nil else { break }
                self.head = nil
                if pending.readableBytes == 0 { pending = ByteBuffer() }
                answered(isAccepted: (200..<300).contains(head.status))
            }
        } catch {
            context?.close(promise: nil)
        }
    }

    private func readLines(_ answer: StaticString) {
        while let end = pending.readableBytesView.firstIndex(of: 0x0a) {
            let line = pending.readSlice(length: end + 1 - pending.readerIndex) ?? ByteBuffer()
            if line.contains(answer) {
                answered(isAccepted: true)
            } else if line.contains("-ERR") {
                answered(isAccepted: false)
            } else if let liveness = desk.wire.liveness, line.contains(liveness.question) {
                context?.writeAndFlush(wrapOutboundOut(ByteBuffer(staticString: liveness.answer)), promise: nil)
            }
        }
        if pending.readableBytes == 0 { pending = ByteBuffer() }
    }

    private func answered(isAccepted: Bool) {
        isBusy = false
        desk.answered(self, isAccepted: isAccepted)
        publishNext()
    }

    private func publishNext() {
        if !isBusy, context != nil, let next = waiting.popFirst() { publish(next) }
    }

    private func lost() {
        context = nil
        socket = .none
        pending = ByteBuffer()
        head = nil
        if isBusy { answered(isAccepted: false) }
        desk.lost(self)
    }
}

@available(*, unavailable)
extension Publisher: Sendable {}
