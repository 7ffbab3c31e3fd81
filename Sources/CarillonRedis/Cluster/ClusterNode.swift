import Logging
import NIOCore

/// One server of a cluster: its connection, and what was sent over it and not answered yet.
///
/// The bytes of what is outstanding are kept, so that a command that the server no longer serves can go to the one that does.
///
/// - Isolation: the event loop
final class ClusterNode {
    /// How the connection fares.
    enum State {
        /// Nobody knows yet whether it will be ready; what is sent waits.
        case opening
        case ready
        case lost
    }

    private struct Sent {
        let command: ClusterCommand
        let length: Int
    }

    let endpoint: RedisConfiguration.Endpoint
    /// What the cluster calls it; nil until the map has said it.
    var node: RedisNode?
    /// How many slots it serves.
    var slotCount = 0
    /// When it goes although it may have something to answer; nil while it serves slots.
    var retiresAt: NIODeadline?
    private(set) var state = State.opening
    private unowned let cluster: RedisCluster
    private let configuration: RedisConfiguration
    private var connection: RedisConnection?
    private var sent = CircularBuffer<Sent>()
    private var bytes = ByteBuffer()
    private var waiting: [EncodedCommand] = []

    /// Bytes that are kept although they are answered, before the rest is moved to the front.
    private static let answeredBytes = 64 * 1_024

    init(_ endpoint: RedisConfiguration.Endpoint, of cluster: RedisCluster, _ configuration: RedisConfiguration) {
        self.endpoint = endpoint
        self.cluster = cluster
        self.configuration = configuration
    }

    var lastFailure: RedisError? { connection?.lastFailure }

    func start(logger: Logger) {
        var configuration = configuration
        configuration.endpoint = endpoint
        let eventLoop = cluster.eventLoop
        let connection = RedisConnection(
            eventLoop: eventLoop,
            configuration: configuration,
            logger: logger,
            observer: self
        )
        self.connection = connection
        connection.start()
        let patience = TimeAmount(configuration.connectTimeout)
        eventLoop.assumeIsolated().scheduleTask(in: patience) { [weak self] in
            if let self, state == .opening { lose(connection.lastFailure ?? RedisError(.unavailable)) }
        }
    }

    func close(immediately: Bool) -> EventLoopFuture<Void> {
        connection?.close(immediately: immediately) ?? cluster.eventLoop.makeSucceededVoidFuture()
    }

    /// Sends a command that is encoded.
    func send(_ encoded: ByteBufferView, _ command: ClusterCommand) {
        guard state != .opening else { return waiting.append(EncodedCommand(command, ByteBuffer(encoded))) }
        if let refusal = connection?.refusal(ofBytes: encoded.count) { return cluster.reject(command, refusal) }
        sent.append(Sent(command: command, length: encoded.count))
        bytes.writeBytes(encoded)
        connection?.send(encoded, to: self, tag: 0)
    }

    /// Commands of a slot that have no answer yet.
    func outstanding(of slot: UInt16) -> Int { sent.count { $0.command.slot == slot } }

    /// Asks for the cluster's map.
    func askForMap(_ completion: @escaping (String) -> Void) {
        connection?.send(RedisCommand("CLUSTER", "NODES"), to: TextReply(completion), tag: 0, node: nil)
    }

    private func lose(_ error: RedisError) {
        state = .lost
        let commands = waiting
        waiting = []
        for encoded in commands { cluster.reject(encoded.command, error.asUnavailable) }
        cluster.nodeChanged(error)
    }

    private func popBytes(_ length: Int) -> ByteBufferView {
        let slice = bytes.readableBytesView.prefix(length)
        bytes.moveReaderIndex(forwardBy: length)
        return slice
    }

    private func dropAnsweredBytes() {
        if bytes.readableBytes == 0 {
            bytes.clear()
        } else if bytes.readerIndex > Self.answeredBytes, bytes.readerIndex > bytes.readableBytes {
            bytes.discardReadBytes()
        }
    }
}

extension ClusterNode: RedisReceiver {
    func received(_ reply: RedisReply, tag: Int) {
        let (command, length) = pop()
        bytes.moveReaderIndex(forwardBy: length)
        dropAnsweredBytes()
        command.receiver.received(reply, tag: command.tag)
        cluster.answered(command, by: self)
    }

    func failed(_ error: RedisError, tag: Int) {
        let (command, length) = pop()
        let encoded = ByteBuffer(popBytes(length))
        dropAnsweredBytes()
        if let redirection = Redirection(error, askedAt: endpoint),
            command.redirections < RedisCluster.maximumRedirections
        {
            return cluster.redirect(EncodedCommand(command.redirected, encoded), redirection, by: self)
        }
        let error = Self.isBusy(error) ? error.asUnavailable : error
        command.receiver.failed(error, tag: command.tag)
        cluster.answered(command, by: self, error: error)
    }

    private func pop() -> (ClusterCommand, Int) {
        let first = sent.removeFirst()
        return (first.command, first.length)
    }

    /// The command was not carried out, and may be once the cluster has sorted itself out.
    private static func isBusy(_ error: RedisError) -> Bool {
        ["CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN"].contains(error.serverCode)
    }
}

extension ClusterNode: RedisObserver {
    func connected(isFirst: Bool) {
        state = .ready
        let commands = waiting
        waiting = []
        for encoded in commands { send(encoded.bytes.readableBytesView, encoded.command) }
        cluster.nodeChanged(nil)
    }

    func disconnected(_ error: RedisError) { lose(error) }

    func roundTrip(nanoseconds: Int64, commands: Int) {
        cluster.observer?.roundTrip(nanoseconds: nanoseconds, commands: commands)
    }

    func commandFailed(_ error: RedisError) {
        if Redirection(error, askedAt: endpoint) == nil { cluster.observer?.commandFailed(error) }
    }
}

/// Takes one reply as text, and nothing where there is none.
private final class TextReply: RedisReceiver {
    private let completion: (String) -> Void

    init(_ completion: @escaping (String) -> Void) { self.completion = completion }

    func received(_ reply: RedisReply, tag: Int) { completion(reply.string) }
    func failed(_ error: RedisError, tag: Int) {}
}
