internal import NIOCore
internal import NIOPosix

/// Connections to 127.0.0.1, where everything under load listens.
enum Loopback {
    /// Connects with `handler` alone in the pipeline, and small reads, because most of ten thousand sockets have little
    /// to say.
    ///
    /// - Isolation: the event loop
    static func connect<Handler: ChannelInboundHandler>(
        _ eventLoop: any EventLoop,
        port: Int,
        timeout: TimeAmount,
        handler: Handler
    ) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(handler, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1_024, maximum: 32_768)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
        do {
            return bootstrap.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: port))
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }
}
