import Logging
import NIOCore

/// Keeps a failing `accept` from ending the server, and says once a second why it fails.
///
/// Together with NIO's `AcceptBackoffHandler` in front of it, which pauses for a second when the process has run out of
/// descriptors; without that the loop would spin on the connection that waits.
///
/// - Isolation: event loop of the server
final class AcceptErrorLogger: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let logger: Logger
    private var lastLogged: NIODeadline?

    init(_ logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let now = context.eventLoop.now
        if let lastLogged, now - lastLogged < .seconds(1) { return }
        lastLogged = now
        logger.warning("cannot accept a connection", metadata: ["error": "\(error)"])
    }
}

@available(*, unavailable)
extension AcceptErrorLogger: Sendable {}
