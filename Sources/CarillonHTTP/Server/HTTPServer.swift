import CarillonDomain
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The one port of the process: HTTP, and the beginning of every WebSocket.
///
/// `bind` may be called before `run`, to know early whether the address is free. From a graceful shutdown on every answer ends
/// its connection; after `noticeTime` the server stops accepting, closes idle connections, lets running requests finish within
/// `drainTimeout`, and returns.
///
/// - Isolation: any; everything per connection lives on `eventLoop`
package final class HTTPServer: Service {
    /// What lives on the event loop and is reached from its connections without a hop.
    ///
    /// - Isolation: event loop of the server
    package struct LoopServices {
        let notify: any NotifyService
        let upgrades: any UpgradeTarget

        package init(notify: any NotifyService, upgrades: any UpgradeTarget) {
            self.notify = notify
            self.upgrades = upgrades
        }
    }

    private struct Bound: Sendable {
        let channel: any Channel
        let shared: NIOLoopBound<HTTPLoop>
        let requests: RequestRunner
    }

    /// Small, because most connections become WebSockets that hardly ever say anything.
    static let smallReads = AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 256, maximum: 4096)

    private let configuration: HTTPConfiguration
    private let eventLoop: any EventLoop
    private let routes: RouteServices
    private let observer: any HTTPObserver
    private let makeLoopServices: @Sendable () -> LoopServices
    private let logger: Logger
    private let bound = Mutex<Bound?>(nil)
    private let isStopping = Atomic(false)

    /// - Parameters:
    ///   - eventLoop: A loop of a `MultiThreadedEventLoopGroup`.
    ///   - loopServices: Called once, on `eventLoop`.
    package init(
        configuration: HTTPConfiguration,
        eventLoop: any EventLoop,
        routes: RouteServices,
        observer: any HTTPObserver,
        logger: Logger,
        loopServices: @escaping @Sendable () -> LoopServices
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.routes = routes
        self.observer = observer
        self.logger = logger
        makeLoopServices = loopServices
    }

    /// Starts listening; requests of the library's way wait until `run`.
    ///
    /// - Returns: The port, which the system has chosen if the address said 0.
    /// - Throws: `HTTPServerError`
    @discardableResult
    package func bind() async throws -> Int {
        let (shared, requests) = try await makeLoop()
        let channel = try await listen(shared)
        try await eventLoop.submit { shared.value.startTimer() }.get()
        bound.withLock { $0 = Bound(channel: channel, shared: shared, requests: requests) }
        let port = channel.localAddress?.port ?? configuration.address.port
        logger.info("listening", metadata: ["address": "\(channel.localAddress?.description ?? "")"])
        return port
    }

    /// Serves until the task is cancelled or a graceful shutdown begins, and has come to its end.
    package func run() async throws {
        if bound.withLock({ $0 == nil }) { try await bind() }
        guard let bound = bound.withLock({ $0 }) else { return }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await bound.requests.run() }
            defer { bound.requests.finish() }
            try await withTaskCancellationHandler {
                try await withGracefulShutdownHandler {
                    try await bound.channel.closeFuture.get()
                } onGracefulShutdown: {
                    self.announceEnd(bound)
                }
            } onCancel: {
                self.isStopping.store(true, ordering: .relaxed)
                bound.channel.close(promise: nil)
            }
            await drain(bound)
            guard isStopping.load(ordering: .relaxed) else {
                throw HTTPServerError(code: .listenerClosed, description: "the listening socket was closed")
            }
        }
    }

    // MARK: - Listening

    private func makeLoop() async throws -> (NIOLoopBound<HTTPLoop>, RequestRunner) {
        let eventLoop = eventLoop
        let services = try await eventLoop.submit { [makeLoopServices] in
            NIOLoopBound(makeLoopServices(), eventLoop: eventLoop)
        }.get()
        let door = try await eventLoop.submit {
            NotifyDoor(NIOLoopBound(services.value.notify, eventLoop: eventLoop), eventLoop: eventLoop)
        }.get()
        let files = configuration.webFolder.flatMap { StaticFiles(folder: $0) }
        if files == nil, let folder = configuration.webFolder {
            logger.warning("there is no web folder, so there is no web UI", metadata: ["folder": "\(folder)"])
        }
        let routes = Routes(
            services: routes,
            notify: door,
            files: files,
            userIDs: configuration.userIDs,
            crossOrigin: configuration.crossOrigin
        )
        let requests = RequestRunner(responder: routes.responder(), observer: observer, logger: logger)
        let shared = try await eventLoop.submit { [configuration, observer, logger] in
            let shared = HTTPLoop(
                eventLoop: eventLoop,
                notify: services.value.notify,
                upgrades: services.value.upgrades,
                requests: requests,
                observer: observer,
                configuration: configuration,
                logger: logger
            )
            return NIOLoopBound(shared, eventLoop: eventLoop)
        }.get()
        return (shared, requests)
    }

    private func listen(_ shared: NIOLoopBound<HTTPLoop>) async throws -> any Channel {
        let address = configuration.address
        do {
            if let host = address.host {
                return try await bootstrap(shared).bind(host: host, port: address.port).get()
            }
            do {
                return try await bootstrap(shared)
                    .serverChannelOption(ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 0)
                    .bind(host: "::", port: address.port).get()
            } catch let error as IOError where [EAFNOSUPPORT, EADDRNOTAVAIL].contains(error.errnoCode) {
                return try await bootstrap(shared).bind(host: "0.0.0.0", port: address.port).get()
            }
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw HTTPServerError(
                code: .addressInUse,
                description: "SERVER_ADDR \(address) is in use by another process"
            )
        } catch {
            throw HTTPServerError(code: .cannotListen, description: "cannot listen on SERVER_ADDR \(address): \(error)")
        }
    }

    private func bootstrap(_ shared: NIOLoopBound<HTTPLoop>) -> ServerBootstrap {
        let logger = logger
        let bootstrap = ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptErrorHandler(logger))
                }
            }
            // Accepted sockets inherit it on Linux; elsewhere the bootstrap would have to set it on each.
            .serverChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Set here and not as an option of the bootstrap, which costs a chain of futures per connection.
                    try channel.syncOptions?.setOption(.recvAllocator, value: Self.smallReads)
                    try channel.pipeline.syncOperations.addHandler(FrontHandler(shared.value))
                }
            }
        guard let sendBufferBytes = configuration.sendBufferBytes else { return bootstrap }
        // Inherited, too.
        return bootstrap.serverChannelOption(.socketOption(.so_sndbuf), value: .init(sendBufferBytes))
    }

    // MARK: - Stopping

    /// Has every answer say that it is the connection's last, and stops accepting when whoever looks has had time to notice.
    ///
    /// Closing the listening socket resets the connections that nobody has accepted yet, and closing an idle connection may
    /// cross with its next request; so both wait until load balancers send nothing more.
    private func announceEnd(_ bound: Bound) {
        isStopping.store(true, ordering: .relaxed)
        eventLoop.execute { [noticeTime = TimeAmount(configuration.noticeTime)] in
            bound.shared.value.announceEnd(noticeTime: noticeTime) { bound.channel.close(promise: nil) }
        }
    }

    private func drain(_ bound: Bound) async {
        let empty = eventLoop.makePromise(of: Void.self)
        let bound = bound.shared
        eventLoop.execute { bound.value.drain { empty.succeed() } }
        // A cancelled task waits for nobody.
        let wait = Task.isCancelled ? .zero : TimeAmount(configuration.drainTimeout)
        let deadline = eventLoop.scheduleTask(in: wait) { bound.value.connections.forEach { $0.abort() } }
        try? await empty.futureResult.get()
        deadline.cancel()
        eventLoop.execute { bound.value.stopTimer() }
    }
}
