import CarillonTLS
import NIOCore

/// What a handler behind the TLS handler saw, once the channel is closed.
final class Recorder: Sendable {
    struct End: Sendable {
        var received = ByteBuffer()
        var errors: [TLSError] = []
        var activations = 0
    }

    let ended: EventLoopPromise<End>
    private let limit: NIOLoopBoundBox<Int?>
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
        ended = loop.makePromise()
        limit = .makeBoxSendingValue(nil, eventLoop: loop)
        let ended = ended
        loop.scheduleTask(in: .seconds(20)) { ended.fail(ChannelError.connectTimeout(.seconds(20))) }
    }

    /// Closes the channel once that many bytes have come.
    func closeAfter(bytes: Int) {
        loop.execute { self.limit.value = bytes }
    }

    func handler() -> any ChannelHandler & Sendable { Handler(self) }

    // SAFETY: made and used on the channel's event loop only.
    private final class Handler: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer

        private let recorder: Recorder
        private var end = End()

        init(_ recorder: Recorder) { self.recorder = recorder }

        func channelActive(context: ChannelHandlerContext) { end.activations += 1 }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            end.received.writeBuffer(&bytes)
            if let limit = recorder.limit.value, end.received.readableBytes >= limit {
                context.close(promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? TLSError { end.errors.append(error) }
        }

        func channelInactive(context: ChannelHandlerContext) { recorder.ended.succeed(end) }
    }
}
