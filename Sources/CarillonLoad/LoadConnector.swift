package import CarillonTLS
package import NIOCore
internal import NIOPosix

/// Where something listens that is to be put under load.
package struct LoadAddress: Hashable, Sendable {
    package let host: String
    package let port: Int
    /// Nil for plain TCP.
    package let tls: TLSClientConfiguration?

    package init(host: String, port: Int, tls: TLSClientConfiguration? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
    }

    package static func loopback(port: Int) -> LoadAddress { LoadAddress(host: "127.0.0.1", port: port) }
}

/// Connections of load drivers: cheap ones, because there are ten thousand of them.
package enum LoadConnector {
    /// Connects with `handler` alone in the pipeline, behind TLS where the address asks for it.
    ///
    /// Reads are small, because most sockets have little to say, and one at a time, because a second one would mostly find nothing.
    ///
    /// - Isolation: the event loop
    package static func connect<Handler: ChannelInboundHandler>(
        _ eventLoop: any EventLoop,
        to address: LoadAddress,
        timeout: TimeAmount,
        handler: Handler
    ) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(handler, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1_024, maximum: 32_768)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls = address.tls {
                        try pipeline.addHandler(TLSClientHandler(configuration: tls, serverHostname: address.host))
                    }
                    try pipeline.addHandler(bound.value)
                }
            }
        // A number needs no resolver, which would be asked on another thread.
        guard let number = try? SocketAddress(ipAddress: address.host, port: address.port) else {
            return bootstrap.connect(host: address.host, port: address.port)
        }
        return bootstrap.connect(to: number)
    }
}
