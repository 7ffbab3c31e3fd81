import NIOCore

/// The Redis end of one channel: bytes in, replies out, and word of the channel's end. A reconnect makes a new one.
///
/// - Isolation: event loop of the channel.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Nil once the connection has let go of this channel; whatever comes afterwards is of no interest.
    private var connection: RedisConnection?
    private var context: ChannelHandlerContext?
    private let parser = RedisReplyParser()
    private var failure: (any Error)?
    /// The channel is open and, where there is TLS, the other side's certificate is verified.
    private(set) var isActive = false

    init(connection: RedisConnection) {
        self.connection = connection
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ buffer: ByteBuffer) {
        context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// Stops all news to the connection and closes the channel.
    func abandon() {
        connection = nil
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    /// Every channel ends here, those too whose TLS never came to life and that were therefore never inactive.
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        ended()
    }

    func channelActive(context: ChannelHandlerContext) {
        isActive = true
        connection?.transportActive(self)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let violation = buffer.withUnsafeReadableBytes { bytes -> RedisError? in
            do throws(RedisError) {
                try parser.parse(bytes) { reply in
                    connection?.received(reply)
                    return connection != nil
                }
                return nil
            } catch {
                return error
            }
        }
        if let violation { connection?.transportFailed(self, violation) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { connection?.transportWritable(self) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = error
        context.close(promise: nil)
    }

    private func ended() {
        isActive = false
        guard let connection else { return }
        self.connection = nil
        connection.transportEnded(self, failure)
    }
}

@available(*, unavailable)
extension RedisChannelHandler: Sendable {}
