import NIOCore
import NIOHTTP1

/// Stands behind the library's parser while that leaves the pipeline, and catches the bytes which it gives back.
///
/// - Isolation: event loop of the server
final class UpgradeHandoff: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let takeOver: (any Channel, ByteBuffer) -> Void
    private var bytes: ByteBuffer?
    private var context: ChannelHandlerContext?

    /// - Parameters:
    ///   - head: The request head, which the parser has consumed already. Nil where nothing that follows the request matters: the
    ///     parser goes on with it in its own way and is not listened to.
    ///   - takeOver: Called with `head` and what follows it, when the pipeline is empty.
    init(after head: ByteBuffer?, _ takeOver: @escaping (any Channel, ByteBuffer) -> Void) {
        self.bytes = head
        self.takeOver = takeOver
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard bytes != nil else { return }
        var more = Self.unwrapInboundIn(data)
        bytes?.writeBuffer(&more)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if bytes != nil { context.close(promise: nil) }
    }

    func awaitRemoval(
        of decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        from operations: ChannelPipeline.SynchronousOperations
    ) {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        operations.removeHandler(decoder).whenComplete { _ in bound.value.handOver() }
    }

    private func handOver() {
        guard let context, context.channel.isActive else { return }
        let channel = context.channel
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        takeOver(channel, bytes ?? ByteBuffer())
    }
}

@available(*, unavailable)
extension UpgradeHandoff: Sendable {}
