import NIOCore
import NIOHTTP1

/// Stands behind the library's parser while that leaves the pipeline, and catches the bytes which it gives back.
///
/// - Isolation: event loop of the server
final class UpgradeHandoff: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let target: any UpgradeTarget
    private var bytes: ByteBuffer
    private var context: ChannelHandlerContext?

    /// - Parameter bytes: The request head, which the parser has consumed already.
    init(_ target: any UpgradeTarget, bytes: ByteBuffer) {
        self.target = target
        self.bytes = bytes
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var more = Self.unwrapInboundIn(data)
        bytes.writeBuffer(&more)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
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
        target.takeOver(channel: channel, bytes: bytes)
    }
}

@available(*, unavailable)
extension UpgradeHandoff: Sendable {}
