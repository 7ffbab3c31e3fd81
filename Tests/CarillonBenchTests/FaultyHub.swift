import CarillonLoad
import CarillonTestSupport
import NIOCore
import NIOPosix

@testable import CarillonBench

/// A hub with known faults, so that a bench can be asked whether it sees them: of each user's messages some are never delivered,
/// some twice, some after the next one, and some requests are refused.
actor FaultyHub: Hub {
    struct Faults: Sendable {
        /// Of the messages, each so many-th: 0 for none.
        var dropsEach = 0
        var repeatsEach = 0
        var swapsEach = 0
        var refusesEach = 0
    }

    nonisolated let name = "faulty"
    private let faults: Faults
    private var listener: (any Channel)?

    init(_ faults: Faults) { self.faults = faults }

    func start() async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let faults = faults
        let crossroads = try await eventLoop.submit {
            NIOLoopBound(Crossroads(faults), eventLoop: eventLoop)
        }.get()
        listener = try await ServerBootstrap(group: eventLoop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Visitor(crossroads.value))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
    }

    func crash() {}

    func restart() {}

    func stop() async { try? await listener?.close() }

    func wire(_ shape: LoadShape) -> HubWire {
        let address = LoadAddress.loopback(port: listener?.localAddress?.port ?? 0)
        return HubWire(
            subscribers: [address],
            publishers: [address],
            target: Template("/<user>"),
            publishing: .http(path: Template("/<user>"), body: Template("<message>"))
        )
    }

    func processes() -> ProcessMeter? { nil }

    func redis() -> RedisProcess? { nil }
}

/// Who is connected, and what was said to whom.
///
/// - Isolation: the event loop
private final class Crossroads {
    private let faults: FaultyHub.Faults
    private var devices: [String: [Visitor]] = [:]
    private var held: [String: ByteBuffer] = [:]
    private var posts = 0

    init(_ faults: FaultyHub.Faults) { self.faults = faults }

    func join(_ user: String, _ visitor: Visitor) { devices[user, default: []].append(visitor) }

    /// - Returns: The answer to the post.
    func post(_ user: String, _ message: ByteBuffer) -> String {
        posts += 1
        func isEach(_ count: Int) -> Bool { count > 0 && posts % count == 0 }
        if isEach(faults.refusesEach) { return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n" }
        if isEach(faults.swapsEach), held[user] == nil {
            held[user] = message
        } else if !isEach(faults.dropsEach) {
            deliver(message, to: user)
            if isEach(faults.repeatsEach) { deliver(message, to: user) }
            if let late = held.removeValue(forKey: user) { deliver(late, to: user) }
        }
        return "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
    }

    private func deliver(_ message: ByteBuffer, to user: String) {
        var frame = ByteBuffer(bytes: [0x81, 126])
        frame.writeInteger(UInt16(message.readableBytes))
        frame.writeImmutableBuffer(message)
        for device in devices[user] ?? [] { device.write(frame) }
    }
}

/// One connection: a device or a publisher.
private final class Visitor: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let crossroads: Crossroads
    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()

    init(_ crossroads: Crossroads) { self.crossroads = crossroads }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        let lines = String(buffer: received).components(of: "\r\n")
        guard let end = lines.firstIndex(of: ""), let user = lines[0].split(separator: " ").dropFirst().first else {
            return
        }
        if lines[0].hasPrefix("GET") {
            received.clear()
            crossroads.join(String(user), self)
            write(
                ByteBuffer(
                    string: "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: \(Handshake.accept)\r\n\r\n"
                )
            )
        } else {
            let headLength = lines[..<end].reduce(2) { $0 + $1.utf8.count + 2 }
            let field = lines.first { $0.hasPrefix("Content-Length: ") } ?? ""
            let length = Int(field.dropFirst("Content-Length: ".count)) ?? 0
            guard received.readableBytes >= headLength + length else { return }
            received.moveReaderIndex(forwardBy: headLength)
            let message = received.readSlice(length: length) ?? ByteBuffer()
            write(ByteBuffer(string: crossroads.post(String(user), message)))
        }
    }

    func write(_ bytes: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }
}

extension String {
    fileprivate func components(of separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
