package import NIOCore
import NIOPosix

/// A TCP proxy on the loopback interface that can do to a link what networks do.
///
/// One stands between each pod and Redis, so that a link is broken for that pod alone, in both directions or in a way that
/// neither end is told of.
///
/// - Isolation: any thread; the connections live on the event loop that it was started on
package final class TCPProxy: Sendable {
    /// What the link does. A new mode holds for open connections too, at once.
    package enum Mode: Sendable, Equatable {
        case pass
        /// Open connections are reset, and so are new ones.
        case cut
        /// What is sent arrives that much later, each way. Order is kept, and any number of bytes may be under way.
        case delay(TimeAmount)
        /// Connections stay and new ones are taken, but nothing arrives.
        case blackhole(Aftermath)
        /// Connections on which XREAD is spoken hear nothing: the proxy answers each with nil after a second. An XREAD that has
        /// left before still gets its true answer.
        case deaf
    }

    /// What becomes of what was sent into a black hole.
    package enum Aftermath: Sendable, Equatable {
        /// It arrives when the link heals, however late.
        case forwarded
        /// It is lost: connections that sent something are reset when the link heals.
        case dropped
    }

    package let port: Int
    private let eventLoop: any EventLoop
    private let listener: any Channel
    private let links: NIOLoopBound<ProxyLinks>

    private init(port: Int, eventLoop: any EventLoop, listener: any Channel, links: NIOLoopBound<ProxyLinks>) {
        self.port = port
        self.eventLoop = eventLoop
        self.listener = listener
        self.links = links
    }

    /// Listens on `port` of the loopback interface for connections to `target` there.
    ///
    /// - Throws: what NIO says where the port is taken.
    package static func start(port: Int, target: Int, on eventLoop: any EventLoop) async throws -> TCPProxy {
        let links = try await eventLoop.submit {
            NIOLoopBound(ProxyLinks(target: target, eventLoop: eventLoop), eventLoop: eventLoop)
        }.get()
        let listener = try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { links.value.accepted($0) }
            .bind(host: "127.0.0.1", port: port)
            .get()
        return TCPProxy(port: port, eventLoop: eventLoop, listener: listener, links: links)
    }

    package func set(_ mode: Mode) async {
        await onLoop { $0.set(mode) }
    }

    /// Resets every open connection; new ones are treated as the mode says.
    package func killConnections() async {
        await onLoop { $0.resetAll() }
    }

    package func stop() async {
        try? await listener.close()
        await killConnections()
    }

    private func onLoop(_ work: @escaping @Sendable (ProxyLinks) -> Void) async {
        // Fails only when the loop has ended, and with it all connections.
        try? await eventLoop.submit { [links] in work(links.value) }.get()
    }
}

/// The open connections of a proxy, and what it does to them.
///
/// - Isolation: the event loop
final class ProxyLinks {
    let eventLoop: any EventLoop
    private(set) var mode = TCPProxy.Mode.pass
    private let target: Int
    private var open: [ObjectIdentifier: ProxyConnection] = [:]

    init(target: Int, eventLoop: any EventLoop) {
        self.target = target
        self.eventLoop = eventLoop
    }

    /// Prepares a connection that a pod made, before its first byte is read.
    func accepted(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard mode != .cut else {
            ProxyConnection.reset(channel)
            return eventLoop.makeSucceededVoidFuture()
        }
        let connection = ProxyConnection(pod: channel, links: self)
        open[ObjectIdentifier(connection)] = connection
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { Self.add(ProxyEnd(bound.value, side: .redis), to: $0) }
            .connect(host: "127.0.0.1", port: target)
            .whenComplete { result in
                switch result {
                case .success(let redis): bound.value.connected(redis)
                case .failure: bound.value.reset()
                }
            }
        return Self.add(ProxyEnd(connection, side: .pod), to: channel)
    }

    private static func add(_ end: ProxyEnd, to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(end) }
    }

    func set(_ mode: TCPProxy.Mode) {
        let former = self.mode
        self.mode = mode
        for connection in open.values { connection.modeChanged(from: former) }
    }

    func resetAll() {
        for connection in open.values { connection.reset() }
    }

    func ended(_ connection: ProxyConnection) {
        open[ObjectIdentifier(connection)] = nil
    }
}

@available(*, unavailable)
extension ProxyLinks: Sendable {}
