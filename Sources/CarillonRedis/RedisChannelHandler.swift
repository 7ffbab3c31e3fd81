internal import CarillonSocket
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
    /// None under TLS.
    private var socket = DirectSocket.none
    private let parser = RedisReplyParser()
    private var failure: (any Error)?
    /// The channel is open and, where there is TLS, the other side's certificate is verified.
    private(set) var isActive = false

    init(connection: RedisConnection) {
        self.connection = connection
    }

    var isWritable: Bool { socket.isIdle || context?.channel.isWritable ?? false }

    /// Sends what the socket takes at once; the rest waits for `flush()`. Nothing that may go wrong is heard of before then.
    func write(_ buffer: ByteBuffer) {
        guard let rest = socket.send(buffer), let context else { return }
        context.write(wrapOutboundOut(rest)).assumeIsolated().whenComplete { [self] _ in socket.channelWrote() }
    }

    func flush() {
        if !socket.isIdle { context?.flush() }
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
        socket = .none
        ended()
    }

    func channelActive(context: ChannelHandlerContext) {
        isActive = true
        if connection?.configuration.tls == nil { socket = DirectSocket(context.channel) }
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
