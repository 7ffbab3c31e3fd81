import CarillonLoad
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// A server on SwiftNIO and nothing else, that passes what is posted to `/<user>` on to the WebSockets of `/<user>`: what sockets cost
/// before a hub does anything for its users. It stores nothing, knows one shape of request, and checks nothing.
///
/// - Isolation: one event loop of its own
package struct BareServer: Sendable {
    /// What becomes of a post: whether it is accepted. Whatever is delivered goes to all sockets of the user.
    typealias Route = (_ user: String, _ message: ByteBuffer, _ deliver: (ByteBuffer) -> Void) -> Bool

    private let listener: any Channel

    /// - Parameters:
    ///   - port: 0 for any.
    ///   - makeRoute: Called on the event loop, where its result is used.
    init(port: Int = 0, makeRoute: @escaping @Sendable () -> Route) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let devices = try await eventLoop.submit {
            NIOLoopBound(BareDevices(makeRoute()), eventLoop: eventLoop)
        }.get()
        listener = try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 4_096)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(BareConnection(devices.value))
                }
            }
            .bind(host: "127.0.0.1", port: port)
            .get()
    }

    var port: Int { listener.localAddress?.port ?? 0 }

    func stop() async { try? await listener.close() }

    /// Serves until the process ends.
    package static func serve(port: Int) async throws {
        let server = try await BareServer(port: port) {
            { _, message, deliver in
                deliver(message)
                return true
            }
        }
        try await server.listener.closeFuture.get()
    }
}

/// Who is connected.
private final class BareDevices {
    private let route: BareServer.Route
    private var devices: [String: [BareConnection]] = [:]

    init(_ route: @escaping BareServer.Route) { self.route = route }

    func join(_ user: String, _ device: BareConnection) { devices[user, default: []].append(device) }

    func leave(_ user: String, _ device: BareConnection) { devices[user]?.removeAll { $0 === device } }

    func post(_ user: String, _ message: ByteBuffer) -> Bool {
        route(user, message) { message in
            var frame = ByteBuffer()
            frame.reserveCapacity(message.readableBytes + 4)
            frame.writeInteger(0x817e as UInt16)
            frame.writeInteger(UInt16(message.readableBytes))
            frame.writeImmutableBuffer(message)
            for device in devices[user] ?? [] { device.write(frame) }
        }
    }
}

/// A device or a publisher.
private final class BareConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let devices: BareDevices
    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    /// Whose device it is.
    private var user: String?

    private static let accepted = ByteBuffer(string: "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    private static let refused = ByteBuffer(string: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    private static let upgraded = ByteBuffer(
        string: "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: \(Handshake.accept)\r\n\r\n"
    )

    init(_ devices: BareDevices) { self.devices = devices }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        if let user { devices.leave(user, self) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What devices say is of no interest.
        guard user == nil else { return }
        received.writeImmutableBuffer(unwrapInboundIn(data))
        guard let head = received.withUnsafeReadableBytes(Head.init) else { return }
        guard received.readableBytes >= head.length + head.bodyLength else { return }
        received.moveReaderIndex(forwardBy: head.length)
        let body = received.readSlice(length: head.bodyLength) ?? ByteBuffer()
        received = ByteBuffer()
        if head.isPost { return write(devices.post(head.user, body) ? Self.accepted : Self.refused) }
        user = head.user
        devices.join(head.user, self)
        write(Self.upgraded)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func write(_ bytes: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }

    /// `POST /<user> …` or `GET /<user> …`, as the bench sends it.
    private struct Head {
        let length: Int
        let bodyLength: Int
        let isPost: Bool
        let user: String

        /// Nil where it is not complete.
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard let end = Self.end(of: "\r\n\r\n", in: bytes) else { return nil }
            length = end
            isPost = bytes.first == UInt8(ascii: "P")
            let target = bytes.drop { $0 != UInt8(ascii: "/") }.dropFirst()
            user = String(decoding: target.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
            let digits = Self.end(of: "Content-Length: ", in: bytes).map { bytes[$0...] }
            bodyLength = digits?.prefix { $0 != 0x0d }.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } ?? 0
        }

        private static func end(of text: StaticString, in bytes: UnsafeRawBufferPointer) -> Int? {
            let (first, count) = (CInt(text.utf8Start.pointee), text.utf8CodeUnitCount)
            guard var place = bytes.baseAddress, bytes.count >= count else { return nil }
            let last = place + bytes.count - count
            // SAFETY: `place` stays at or before `last`, behind which there are as many bytes as in `text`.
            while place <= last, let hit = memchr(place, first, last - place + 1) {
                if memcmp(hit, text.utf8Start, count) == 0 { return UnsafeRawPointer(hit) - bytes.baseAddress! + count }
                place = UnsafeRawPointer(hit) + 1
            }
            return nil
        }
    }
}
