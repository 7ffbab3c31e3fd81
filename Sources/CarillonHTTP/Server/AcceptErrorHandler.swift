import Logging
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Keeps a failing `accept` from ending the server or spinning the loop, and says once a second why it fails.
///
/// When the process has run out of descriptors, the waiting connection keeps the listening socket readable; so reading
/// it is switched off for a second. (NIO's `AcceptBackoffHandler` holds its reads back, but leaves the socket
/// registered, and the loop spins.)
///
/// - Isolation: event loop of the server
final class AcceptErrorHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.seconds(1)

    private let logger: Logger
    private var lastLogged: NIODeadline?
    private var isPausing = false

    init(_ logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let now = context.eventLoop.now
        if lastLogged.map({ now - $0 >= Self.pause }) ?? true {
            lastLogged = now
            logger.warning("cannot accept a connection", metadata: ["error": "\(error)"])
        }
        // A connection that was gone before it was accepted is no reason to let others wait.
        guard let error = error as? IOError, error.errnoCode != ECONNABORTED, !isPausing else { return }
        isPausing = true
        let channel = context.channel
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) {
            bound.value.isPausing = false
            try? channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}

@available(*, unavailable)
extension AcceptErrorHandler: Sendable {}
