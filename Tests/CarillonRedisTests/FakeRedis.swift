import NIOCore
import NIOPosix
import Synchronization

/// A server that answers what a test tells it to, for what a real Redis does only on a bad day.
struct FakeRedis: Sendable {
    /// Something that happens one time only.
    final class Once: Sendable {
        private let done = Atomic(false)
        func first() -> Bool { !done.exchange(true, ordering: .relaxed) }
    }

    enum Answer: Sendable {
        case reply(String)
        case replyAndClose(String)
        case silence
        case stopReading
    }

    static let ping = "*1\r\n$4\r\nPING\r\n"

    private let channel: any Channel
    var port: Int { channel.localAddress!.port! }

    /// - Parameter script: Gets the number of the connection, from 1, and what was just read from it.
    static func start(_ script: @escaping @Sendable (Int, String) -> Answer) async throws -> FakeRedis {
        let counter = Counter()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let number = counter.next()
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(number, script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FakeRedis(channel: channel)
    }

    func stop() async throws {
        try await channel.close()
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)
        func next() -> Int { value.add(1, ordering: .relaxed).newValue }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let number: Int
        private let script: @Sendable (Int, String) -> Answer

        init(_ number: Int, _ script: @escaping @Sendable (Int, String) -> Answer) {
            self.number = number
            self.script = script
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch script(number, String(buffer: unwrapInboundIn(data))) {
            case .reply(let text): context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .replyAndClose(let text):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
                context.close(promise: nil)
            case .silence: break
            case .stopReading:
                try? context.channel.syncOptions?.setOption(.autoRead, value: false)
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "+PONG\r\n")), promise: nil)
            }
        }
    }
}
