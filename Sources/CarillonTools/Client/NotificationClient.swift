package import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket

/// A device at the command line: hears a user's notifications, prints them, reports them as read.
///
/// Everything happens on one event loop, output included: a terminal that does not take more stops the reading of
/// the socket, and the server's own rules for slow devices apply.
///
/// - Isolation: its event loop
package final class NotificationClient {
    private enum Upgrade: Sendable {
        case open
        case refused
    }

    /// How long a read waits for others to share its frame: a replay comes as a burst.
    private static let gathering = TimeAmount.milliseconds(20)

    private let options: ClientOptions
    private let console: Console
    private let printer: PushPrinter
    private let loop: any EventLoop
    private let ended: EventLoopPromise<ToolStatus>

    private var backoff: Backoff
    private var socket: WebSocketHandler?
    private var channel: (any Channel)?
    private var reads = ReadQueue()
    private var readTimer: Scheduled<Void>?
    private var reconnectTimer: Scheduled<Void>?
    private var pushes = 0
    private var didSync = false
    private var status: ToolStatus?

    /// Where to go on after a lost connection: the end of a finished replay, or the last live push after it.
    private var resume: (positions: StreamPositions, epoch: String)?
    private var isReady = false

    private init(_ options: ClientOptions, _ console: Console, _ loop: any EventLoop) {
        self.options = options
        self.console = console
        self.loop = loop
        printer = PushPrinter(colour: console.colour)
        backoff = options.backoff
        ended = loop.makePromise()
    }

    /// Runs a client until it is done, its time is up, or `interrupt` comes.
    ///
    /// - Isolation: any thread
    package static func run(
        _ options: ClientOptions,
        console: Console,
        on loop: any EventLoop,
        until interrupt: EventLoopFuture<Void>
    ) async throws -> ToolStatus {
        try await loop.flatSubmit {
            let client = NotificationClient(options, console, loop)
            interrupt.hop(to: loop).assumeIsolated().whenSuccess { client.end(.success) }
            client.start()
            // Sockets and timers hold it weakly or for a while only; it must live until it has ended.
            client.ended.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(client) {} }
            return client.ended.futureResult
        }.get()
    }

    private func start() {
        if let timeout = options.timeout {
            let timer = loop.assumeIsolated().scheduleTask(in: timeout) {
                self.end(self.options.count == nil ? .success : .timeout)
            }
            ended.futureResult.whenComplete { _ in timer.cancel() }
        }
        connect()
    }

    // MARK: Connecting

    private func connect() {
        guard status == nil else { return }
        isReady = false
        let bound = NIOLoopBound(self, eventLoop: loop)
        Connector.connect(to: options.url, tls: options.tls, on: loop)
            .flatMap { channel in bound.value.upgrade(channel) }
            .assumeIsolated().whenFailure { error in
                let reason = "cannot connect to \(self.options.url.authority): \(Connector.describe(error))"
                self.lost(reason, isHopeless: Connector.isHopeless(error))
            }
    }

    private var requestHead: HTTPRequestHead {
        var parameters = [("user_id", options.userID), ("login", options.login)]
        if !options.channels.isEmpty { parameters.append(("channels", options.channels.joined(separator: ","))) }
        if let resume { parameters += [("since", resume.positions.text), ("epoch", resume.epoch)] }
        let path = options.url.webSocketPath(parameters.map { (name: $0.0, value: $0.1) })
        var headers = HTTPHeaders([("Host", options.url.authority)])
        headers.add(name: "User-Agent", value: "carillon-client/\(ToolVersion.text)")
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
    }

    private func upgrade(_ channel: any Channel) -> EventLoopFuture<Upgrade> {
        guard status == nil else {
            channel.close(promise: nil)
            return loop.makeSucceededFuture(.refused)
        }
        self.channel = channel
        let bound = NIOLoopBound(self, eventLoop: loop)
        let upgrader = NIOTypedWebSocketClientUpgrader<Upgrade>(
            maxFrameSize: WebSocketHandler.largestMessage,
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture { try bound.value.opened(channel) }
            }
        )
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
            upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(
                upgradeRequestHead: requestHead,
                upgraders: [upgrader],
                notUpgradingCompletionHandler: { channel in
                    channel.eventLoop.makeCompletedFuture { try bound.value.notUpgraded(channel) }
                }
            )
        )
        // The first pushes may come in the packet of the upgrade's answer.
        configuration.leftOverBytesStrategy = .forwardBytes
        let deadline = loop.scheduleTask(in: Connector.timeout) { channel.close(promise: nil) }
        do {
            let upgraded = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                configuration: configuration
            )
            upgraded.whenComplete { _ in deadline.cancel() }
            return upgraded
        } catch {
            channel.close(promise: nil)
            return loop.makeFailedFuture(error)
        }
    }

    private func opened(_ channel: any Channel) throws -> Upgrade {
        let socket = WebSocketHandler { [weak self] event in self?.received(event) }
        try channel.pipeline.syncOperations.addHandlers([
            IdleStateHandler(readTimeout: WebSocketHandler.silence),
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 0,
                maxAccumulatedFrameCount: 65_536,
                maxAccumulatedFrameSize: WebSocketHandler.largestMessage
            ),
            socket,
        ])
        self.socket = socket
        channel.closeFuture.assumeIsolated().whenComplete { _ in socket.connectionClosed() }
        if status != nil { socket.close() }
        return .open
    }

    private func notUpgraded(_ channel: any Channel) throws -> Upgrade {
        let exchange = HTTPExchangeHandler { result in
            channel.close(promise: nil)
            switch result {
            case .success(let response): self.refused(response)
            case .failure(let error): self.lost(Connector.describe(error))
            }
        }
        try channel.pipeline.syncOperations.addHandler(exchange)
        return .refused
    }

    private func refused(_ response: HTTPResponse) {
        if response.status >= 500 || response.status == 429 || response.status == 408 {
            lost("the server answers \(response.problem)", pause: response.retryAfter)
        } else {
            console.error("the server refuses the connection: \(response.problem)\n")
            end(.protocolError)
        }
    }

    private func lost(_ reason: String, pause: TimeAmount? = nil, isHopeless: Bool = false) {
        socket = nil
        channel = nil
        readTimer?.cancel()
        readTimer = nil
        reads.connectionLost(.now())
        if let status {
            ended.succeed(status)
            return
        }
        guard options.reconnect, !isHopeless else {
            console.error(reason + "\n")
            end(.unavailable)
            return
        }
        let jitter = backoff.next()
        let pause = pause.map { $0 + jitter } ?? jitter
        say("\(reason); trying again in \(pause.seconds)")
        reconnectTimer = loop.assumeIsolated().scheduleTask(in: pause) { self.connect() }
    }

    /// Closes what is open, then ends with `status`.
    private func end(_ status: ToolStatus) {
        guard self.status == nil else { return }
        self.status = status
        readTimer?.cancel()
        reconnectTimer?.cancel()
        if let socket {
            socket.close()
        } else {
            channel?.close(promise: nil)
            ended.succeed(status)
        }
    }

    // MARK: What the server says

    private func received(_ event: WebSocketHandler.Event) {
        switch event {
        case .text(let bytes):
            guard status == nil else { return }
            received(Array(bytes.readableBytesView))
        case .closed(let code, let reason): closed(code, reason)
        }
    }

    private func closed(_ code: UInt16?, _ reason: String) {
        let reason = Printable.line(reason)
        switch code {
        case nil: lost(reason)
        case 1001: lost("the server goes away (\(reason))", pause: CloseReason.comeBackAfter(reason))
        case 1012:
            // Stream ids went back: what we know of them is about another past.
            resume = nil
            reads.removeAll()
            lost("the server starts over (\(reason)), everything will be replayed")
        case 1013: lost("we were too slow for the server (\(reason))")
        case .some(let code): lost("the server closed the connection with \(code) (\(reason))")
        }
    }

    private func received(_ bytes: [UInt8]) {
        let frame: JSONValue
        do {
            frame = try JSONValue(parsing: bytes)
        } catch {
            console.error("the server sent a frame that cannot be read: \(error)\n")
            return
        }
        // Enough was heard: only the acks of its reads are still awaited.
        if isCountReached, frame["type"]?.string == "notification.push" { return }
        if options.json { output(CompactFrame.line(bytes)) }
        let data = frame["data"] ?? .null
        switch frame["type"]?.string {
        case "notification.push": pushed(data)
        case "notification.read.ack":
            guard let id = data["notification_id"]?.string else { return }
            reads.settle(id)
            say("read: \(Printable.line(id))")
        case "notification.auto_cleared":
            guard let id = data["notification_id"]?.string else { return }
            reads.settle(id)
            say("auto-cleared: \(Printable.line(id))")
        case "session.ready": ready(data)
        case "sync.response":
            guard !options.json, case .array(let rows) = data else { break }
            for row in rows { output(Array((printer.push(row) + "\n").utf8)) }
        case "subscribe.ack": subscribed(data)
        case "error": refusedFrame(data)
        default: break
        }
        endIfDone()
    }

    private func pushed(_ data: JSONValue) {
        pushes += 1
        if !options.json { output(Array((printer.push(data) + "\n").utf8)) }
        guard let streamID = data["stream_id"]?.string else { return }
        if isReady { resume?.positions.advance(to: streamID) }
        guard let readAfter = options.readAfter, data["status"]?.string == "unread",
            let id = data["notification_id"]?.string
        else { return }
        reads.add(ReadQueue.Item(notificationID: id, streamID: streamID), due: .now() + readAfter)
        scheduleReads()
    }

    private func ready(_ data: JSONValue) {
        if let version = data["protocol"]?.scalar, version != "1" {
            console.error("the server speaks protocol \(Printable.line(version)), this client speaks 1\n")
            end(.protocolError)
            return
        }
        isReady = true
        backoff.reset()
        if data["last_stream_id"]?.scalar != nil, let epoch = data["epoch"]?.scalar {
            resume = (StreamPositions(ready: data), epoch)
        }
        let pod = data["pod_id"]?.scalar ?? "?"
        let unread = data["unread_count"]?.scalar ?? "?"
        say("connected to \(Printable.line("\(pod) as \(options.userID):\(options.login), \(unread) unread"))")
        if let limit = options.syncLimit, !didSync {
            didSync = true
            socket?.send(text: "{\"type\":\"sync.request\",\"data\":{\"limit\":\(limit)}}")
        }
        scheduleReads()
    }

    private func subscribed(_ data: JSONValue) {
        guard case .array(let names) = data["channels"] else { return }
        say(Printable.line("channels: \(names.compactMap(\.string).joined(separator: ", "))"))
    }

    private func refusedFrame(_ data: JSONValue) {
        let code = data["code"]?.string ?? ""
        console.error(Printable.line("the server says: \(code): \(data["detail"]?.string ?? "")") + "\n")
        guard data["type"]?.string == "notification.read", code == "not_found" || code == "gone" else { return }
        if let id = data["notification_id"]?.string { reads.settle(id) } else { reads.settleOldest() }
    }

    // MARK: Reads

    private func scheduleReads() {
        guard socket != nil, readTimer == nil, let due = reads.nextDue else { return }
        readTimer = loop.assumeIsolated().scheduleTask(deadline: due + Self.gathering) {
            self.readTimer = nil
            self.sendReads()
        }
    }

    private func sendReads() {
        guard let socket else { return }
        while case let items = reads.takeDue(.now()), let first = items.first {
            let data = items.count == 1 ? first.json : "[\(items.map(\.json).joined(separator: ","))]"
            socket.send(text: "{\"type\":\"notification.read\",\"data\":\(data)}")
        }
        scheduleReads()
    }

    // MARK: Output

    private func endIfDone() {
        if isCountReached, reads.isEmpty { end(.success) }
    }

    private var isCountReached: Bool {
        guard let count = options.count else { return false }
        return pushes >= count
    }

    private func output(_ bytes: [UInt8]) {
        // Nobody reads any more: there is nothing left to do.
        if !console.output(bytes) { end(.success) }
    }

    private func say(_ text: String) {
        if !options.quiet { console.error(text + "\n") }
    }
}

@available(*, unavailable)
extension NotificationClient: Sendable {}
