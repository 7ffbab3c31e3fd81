import NIOCore

/// Counts what reaches the socket.
final class WriteCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    struct Counts {
        var writes = 0
        var largest = 0
    }

    private let counts: NIOLoopBoundBox<Counts>

    init(_ counts: NIOLoopBoundBox<Counts>) { self.counts = counts }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        counts.value.writes += 1
        counts.value.largest = max(counts.value.largest, unwrapOutboundIn(data).readableBytes)
        context.write(data, promise: promise)
    }
}
