import CarillonConfig
import NIOCore
import NIOPosix

/// Asks once whether a Redis answers at an address.
enum RedisPing {
    enum Answer: Hashable, Sendable {
        /// It serves: `+PONG`, or an error that asks for a password.
        case ready
        /// It is there but still reads its data.
        case loading
        /// Something else answered.
        case stranger
        case nothing
    }

    /// - Parameter timeout: For connecting and for the answer together.
    static func send(to address: Settings.Redis.Address, timeout: Duration) async -> Answer {
        let limit = TimeAmount.milliseconds(Int64(timeout.wholeMilliseconds))
        let answer = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Answer.self)
        let bootstrap = ClientBootstrap(group: answer.futureResult.eventLoop)
            .connectTimeout(limit)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RedisPingHandler(answer: answer, limit: limit))
                }
            }
        do {
            switch address {
            case .tcp(let host, let port): _ = try await bootstrap.connect(host: host, port: port).get()
            case .unix(let path): _ = try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
        } catch {
            answer.succeed(.nothing)
        }
        return (try? await answer.futureResult.get()) ?? .nothing
    }
}

/// Sends `PING` and reads the first line of the answer.
private final class RedisPingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: EventLoopPromise<RedisPing.Answer>
    private let limit: TimeAmount
    private var received = ByteBuffer()
    private var timer: Scheduled<Void>?

    init(answer: EventLoopPromise<RedisPing.Answer>, limit: TimeAmount) {
        self.answer = answer
        self.limit = limit
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "PING\r\n")), promise: nil)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        let text = String(buffer: received)
        guard text.contains("\r\n") || text.utf8.count > 512 else { return }
        if text.hasPrefix("+PONG") || text.hasPrefix("-NOAUTH") {
            answer.succeed(.ready)
        } else if text.hasPrefix("-LOADING") || text.hasPrefix("-MASTERDOWN") {
            answer.succeed(.loading)
        } else {
            answer.succeed(.stranger)
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        answer.succeed(.nothing)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension RedisPingHandler: Sendable {}
