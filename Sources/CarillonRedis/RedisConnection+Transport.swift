import CarillonTLS
import Logging
package import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

// Attempt -> channel -> TLS -> handshake -> ready -> lost -> pause -> attempt. Every end of a channel, whatever the
// reason, goes through `lose`.

extension RedisConnection {
    /// Connects, now and after every loss. Called once.
    package func start() {
        eventLoop.assertInEventLoop()
        guard phase == .idle else { return }
        connect()
    }

    /// Waits up to `commandTimeout` for the replies to what was sent, then closes for good. Later commands fail with
    /// `.unavailable`.
    ///
    /// - Parameter immediately: Waits for nothing; outstanding commands fail with `.connectionLost`.
    package func close(immediately: Bool) -> EventLoopFuture<Void> {
        eventLoop.assertInEventLoop()
        let promise = closePromise ?? eventLoop.makePromise(of: Void.self)
        closePromise = promise
        switch phase {
        case .ready where pendingReplies > 0 && !immediately: phase = .closing
        case .closing where immediately, .ready, .handshaking, .connecting, .waiting, .idle: finishClosing()
        case .closing, .closed: break
        }
        return promise.futureResult
    }

    /// Gives up a connection that looks healthy and is not; outstanding commands fail with `.connectionLost`.
    package func reconnect(because reason: String) {
        eventLoop.assertInEventLoop()
        if phase == .ready { lose(RedisError(.connectionLost, detail: reason)) }
    }

    /// The locator says that Redis is elsewhere: goes there at once.
    func endpointChanged() {
        attempt = 0
        switch phase {
        case .waiting:
            reconnect?.cancel()
            connect()
        case .connecting, .handshaking, .ready:
            lose(RedisError(.connectionLost, detail: "the primary is another one now"))
        case .idle, .closing, .closed: break
        }
    }

    func finishClosing(_ error: RedisError = RedisError(.connectionLost, detail: "it was closed")) {
        let handler = handler
        self.handler = nil
        phase = .closed
        reconnect?.cancel()
        handshake = nil
        lastFailure = RedisError(.unavailable, detail: "the connection was closed")
        handler?.abandon()
        failOutstanding(error)
        closePromise?.succeed()
    }

    private func connect() {
        phase = .connecting
        attempt += 1
        attempts += 1
        guard let endpoint = locator.map(\.endpoint) ?? configuration.endpoint else {
            return lose(RedisError(.unavailable, detail: "it is not known yet where Redis is"))
        }
        self.endpoint = endpoint
        let timeout = TimeAmount(configuration.connectTimeout)
        attemptDeadline = .now() + timeout
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 16_384, maximum: 131_072)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.configure(channel) }
            }
        let channel: EventLoopFuture<any Channel>
        switch endpoint {
        case .tcp(let host, let port):
            bootstrap =
                bootstrap
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
            for (option, value) in Self.keepalive {
                bootstrap = bootstrap.channelOption(.tcpOption(option), value: value)
            }
            channel = bootstrap.connect(host: host, port: port)
        case .unix(let path):
            channel = bootstrap.connect(unixDomainSocketPath: path)
        }
        channel.assumeIsolated().whenComplete { [attempts] in self.connectFinished($0, attempts) }
    }

    /// An idle connection notices a vanished peer within half a minute instead of two hours.
    private static var keepalive: [(NIOBSDSocket.Option, Int)] {
        #if os(Linux)
        [
            (.init(rawValue: TCP_KEEPIDLE), 15), (.init(rawValue: TCP_KEEPINTVL), 5),
            (.init(rawValue: TCP_KEEPCNT), 3),
        ]
        #else
        []
        #endif
    }

    /// May run for several channels of one attempt, of which one wins (RFC 8305).
    private func configure(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls = configuration.tls {
            guard case .tcp(let host, _)? = endpoint else {
                throw RedisError(.invalidConfiguration("TLS is not spoken over a unix socket"))
            }
            try pipeline.addHandler(TLSClientHandler(configuration: tls, serverHostname: host))
        }
        try pipeline.addHandler(RedisChannelHandler(connection: self))
    }

    private func connectFinished(_ result: Result<any Channel, any Error>, _ number: Int) {
        let isAwaited = phase == .connecting && number == attempts
        switch result {
        case .failure(let error):
            if isAwaited { lose(Self.describe(error, as: .unavailable)) }
        case .success(let channel):
            let handler = try? channel.pipeline.syncOperations.handler(type: RedisChannelHandler.self)
            guard isAwaited else {
                handler?.abandon()
                return
            }
            guard let handler else {
                lose(RedisError(.unavailable, detail: "closed as soon as it was open"))
                return
            }
            self.handler = handler
            phase = .handshaking
            armTimer()
            if handler.isActive { beginHandshake() }
        }
    }

    func transportActive(_ handler: RedisChannelHandler) {
        if handler === self.handler { beginHandshake() }
    }

    func transportWritable(_ handler: RedisChannelHandler) {
        if handler === self.handler { writeOutgoing() }
    }

    func transportFailed(_ handler: RedisChannelHandler, _ error: RedisError) {
        if handler === self.handler { lose(error) }
    }

    func transportEnded(_ handler: RedisChannelHandler, _ error: (any Error)?) {
        guard handler === self.handler else { return }
        let code: RedisError.Code = phase == .handshaking ? .unavailable : .connectionLost
        lose(error.map { Self.describe($0, as: code) } ?? RedisError(code, detail: "closed by the other side"))
    }

    private func beginHandshake() {
        guard phase == .handshaking, handshake == nil else { return }
        let handshake = RedisHandshake(connection: self)
        self.handshake = handshake
        handshake.send()
        writeOutgoing()
    }

    func handshakeFinished(_ failure: RedisError?) {
        if let failure {
            lose(failure)
            return
        }
        handshake = nil
        phase = .ready
        readySince = .now()
        connectionCount += 1
        lastFailure = nil
        logger.notice(
            "connected to Redis",
            metadata: ["redis": "\(place)", "connections": "\(connectionCount)"]
        )
        observer?.connected(isFirst: connectionCount == 1)
    }

    /// Gives the channel up, fails what is outstanding and comes back after a pause, unless it was closing anyway.
    func lose(_ error: RedisError) {
        if phase == .closing {
            finishClosing(error)
            return
        }
        let wasReady = phase == .ready
        let error = handshake?.failure ?? error
        let handler = handler
        self.handler = nil
        handshake = nil
        phase = .waiting
        log(error)
        handler?.abandon()
        scheduleReconnect(wasReady: wasReady)
        failOutstanding(error.outcomeUnknown ? error : RedisError(.connectionLost, detail: error.description))
        if wasReady { observer?.disconnected(error) }
    }

    private func scheduleReconnect(wasReady: Bool) {
        // A connection that breaks as soon as it stands is no reason to start over with the shortest pause.
        if wasReady, NIODeadline.now() - readySince >= TimeAmount(configuration.maximumBackoff) { attempt = 0 }
        var generator = SystemRandomNumberGenerator()
        let pause = configuration.backoff(attempt: max(1, attempt), using: &generator)
        reconnect = eventLoop.assumeIsolated().scheduleTask(in: pause) {
            if self.phase == .waiting { self.connect() }
        }
    }

    /// One line when the reason is new; a Redis that stays away does not fill the log.
    private func log(_ error: RedisError) {
        let level: Logger.Level = error.description == lastFailure?.description ? .debug : .warning
        lastFailure = error
        logger.log(
            level: level,
            "no connection to Redis, trying again",
            metadata: ["redis": "\(place)", "reason": "\(error)"]
        )
    }

    /// For logs.
    private var place: String { configuration.place(endpoint ?? configuration.endpoint) }

    private static func describe(_ error: any Error, as code: RedisError.Code) -> RedisError {
        if let error = error as? RedisError { return error }
        guard let error = error as? NIOConnectionError else { return RedisError(code, detail: "\(error)") }
        if let failure = error.connectionErrors.last { return describe(failure.error, as: code) }
        let name = error.dnsAError ?? error.dnsAAAAError
        return RedisError(code, detail: "\(error.host): \(name.map { "\($0)" } ?? "no address")")
    }
}
