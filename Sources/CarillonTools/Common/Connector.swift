internal import CarillonTLS
internal import NIOCore
internal import NIOPosix

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Opens connections to a server, with TLS where its address asks for it.
enum Connector {
    static let timeout = TimeAmount.seconds(10)

    /// A connected channel without any handlers but TLS, whose handshake may still be under way.
    ///
    /// - Returns: A future of `loop`, so that a callback can add handlers before the first byte is read.
    static func connect(
        to url: ServerURL,
        tls: TLSClientConfiguration,
        on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(timeout)
            .connect(host: url.host, port: url.port)
            .flatMapThrowing { channel in
                guard url.isSecure else { return channel }
                do {
                    let handler = try TLSClientHandler(configuration: tls, serverHostname: url.host)
                    try channel.pipeline.syncOperations.addHandler(handler)
                } catch {
                    channel.close(promise: nil)
                    throw error
                }
                return channel
            }
    }

    /// Whether trying again cannot help: a certificate does not become trusted by waiting.
    static func isHopeless(_ error: any Error) -> Bool {
        guard let error = error as? TLSError else { return false }
        return error.code == .certificate || error.code == .configuration
    }

    /// What went wrong, in a few words.
    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            guard let first = error.connectionErrors.first else { return "unknown host" }
            return describe(first.error)
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        case let error as TLSError: return error.message
        case ChannelError.connectTimeout: return "no answer within \(timeout.seconds)"
        case ChannelError.ioOnClosedChannel, ChannelError.inappropriateOperationForState, ChannelError.eof:
            return "the server closed the connection"
        default: return Printable.line("\(error)")
        }
    }
}
