package import Logging
package import NIOCore

/// A Redis Cluster: one pipelined connection to each primary, and every command goes to the one that serves its key.
///
/// The order of commands of one key survives that its slot moves: while the old server still has some of them, later ones wait.
/// Commands over several keys that belong together are in lanes (`RedisReceiver.lane`).
///
/// The map of slots comes from `CLUSTER NODES`, asked of one node after another every second, and at once when a server sends a
/// command elsewhere or is lost; of two views of a slot, the one with the higher epoch holds. `RedisCluster+Map.swift` keeps it.
///
/// - Isolation: `eventLoop`, for everything including `init`
/// - Cost: each command is encoded once and copied twice
/// - Source: Redis Cluster specification
package final class RedisCluster: Redis {
    static let maximumRedirections = 8

    package let eventLoop: any EventLoop
    let configuration: RedisConfiguration
    let logger: Logger
    weak var observer: (any RedisObserver)?

    // What `RedisCluster+Map.swift` keeps.
    let seeds: [RedisConfiguration.Endpoint]
    var known: [RedisConfiguration.Endpoint: ClusterNode] = [:]
    var owners = [ClusterNode?](repeating: nil, count: HashSlot.count)
    var epochs = [Int64](repeating: -1, count: HashSlot.count)
    var unownedSlots = HashSlot.count
    var locators: [ClusterKeyLocator] = []
    var askedLast = 0
    var isAsking = false
    var timer: RepeatedTask?
    var isClosed = false
    /// All servers can be used.
    var isWhole = false
    var wasEverWhole = false
    package internal(set) var isReady = false
    package internal(set) var lastFailure: RedisError?

    private var scratch = RedisArguments(buffer: ByteBuffer())
    private var lanes: [Lane.Key: Lane] = [:]
    private var moving: [UInt16: Moving] = [:]
    private var rejected: [(command: ClusterCommand, error: RedisError)] = []

    /// A slot that has gone to another server while the old one still has commands of it.
    private struct Moving {
        let from: ClusterNode
        var outstanding: Int
        var waiting: [EncodedCommand] = []
    }

    /// - Parameters:
    ///   - configuration: Of every node; its endpoint is of no meaning.
    ///   - seeds: Some nodes; they know the others.
    ///   - observer: Held weakly.
    package init(
        eventLoop: any EventLoop,
        configuration: RedisConfiguration,
        seeds: [RedisConfiguration.Endpoint],
        logger: Logger,
        observer: (any RedisObserver)? = nil
    ) {
        eventLoop.assertInEventLoop()
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.seeds = seeds
        self.logger = logger
        self.observer = observer
    }

    package let isSharded = true

    // MARK: - Sending

    package func send(
        _ command: StaticString,
        arguments: Int,
        to receiver: any RedisReceiver,
        tag: Int,
        _ write: (inout RedisArguments) -> Void
    ) {
        scratch.clear(keeping: 64 * 1_024)
        scratch.begin(command, arguments: arguments)
        write(&scratch)
        route(receiver, tag, node: nil)
    }

    package func send(_ command: RedisCommand, to receiver: any RedisReceiver, tag: Int, node: RedisNode?) {
        scratch.clear(keeping: 64 * 1_024)
        command.write(to: &scratch)
        route(receiver, tag, node: node)
    }

    package func settled(_ key: RedisKey, _ body: @escaping () -> Void) {
        // Whatever is asked of the key now is answered behind all that was sent of it.
        send("EXISTS", arguments: 1, to: Callback(body)) { $0.key(key) }
    }

    /// Sends what `scratch` holds.
    private func route(_ receiver: any RedisReceiver, _ tag: Int, node: RedisNode?) {
        scratch.end()
        let encoded = scratch.buffer.readableBytesView
        guard !scratch.key.isEmpty else {
            let command = ClusterCommand(receiver: receiver, tag: tag, slot: nil)
            guard let target = target(node) else {
                return reject(command, RedisError(.unavailable, detail: "no such node"))
            }
            return target.send(encoded, command)
        }
        let command = ClusterCommand(receiver: receiver, tag: tag, slot: HashSlot.of(encoded[scratch.key]))
        if mayGo(command) { dispatch(encoded, command) } else { wait(EncodedCommand(command, ByteBuffer(encoded))) }
    }

    /// Where a command without a key goes.
    private func target(_ node: RedisNode?) -> ClusterNode? {
        guard let node else { return sortedOwners.first { $0.state == .ready } ?? sortedOwners.first }
        return known.values.first { $0.node == node }
    }

    /// Whether nothing of its lane must come before it; counts it then.
    private func mayGo(_ command: ClusterCommand) -> Bool {
        guard let key = command.lane, let slot = command.slot else { return true }
        guard let lane = lanes[key] else {
            lanes[key] = Lane(slot: slot)
            return true
        }
        guard lane.slot == slot, lane.waiting.isEmpty, lane.error == nil else { return false }
        lanes[key]?.outstanding += 1
        return true
    }

    private func wait(_ encoded: EncodedCommand) {
        if let lane = encoded.command.lane { lanes[lane]?.waiting.append(encoded) }
    }

    private func dispatch(_ encoded: ByteBufferView, _ command: ClusterCommand) {
        guard let slot = command.slot else { return }
        if moving[slot] != nil {
            moving[slot]?.waiting.append(EncodedCommand(command, ByteBuffer(encoded)))
        } else if let owner = owners[Int(slot)] {
            owner.send(encoded, command)
        } else {
            reject(command, RedisError(.unavailable, detail: "nobody is known to serve slot \(slot)"))
        }
    }

    /// Has the receiver hear of an error in the next tick.
    func reject(_ command: ClusterCommand, _ error: RedisError) {
        rejected.append((command, error))
        guard rejected.count == 1 else { return }
        eventLoop.assumeIsolated().execute {
            let commands = self.rejected
            self.rejected = []
            for (command, error) in commands {
                self.observer?.commandFailed(error)
                command.receiver.failed(error, tag: command.tag)
                self.advance(command, error)
            }
        }
    }

    // MARK: - Answers

    /// A receiver has heard.
    func answered(_ command: ClusterCommand, by node: ClusterNode, error: RedisError? = nil) {
        left(command, node)
        advance(command, error)
        if error?.code == .unavailable { askForMap() }
    }

    /// A server does not serve the command.
    func redirect(_ encoded: EncodedCommand, _ redirection: Redirection, by node: ClusterNode) {
        let target = self.node(at: redirection.endpoint)
        left(encoded.command, node)
        if redirection.isLasting, let slot = encoded.command.slot, owners[Int(slot)] === node {
            setOwner(of: Int(slot), target)
            let outstanding = node.outstanding(of: slot)
            if outstanding > 0 { moving[slot] = Moving(from: node, outstanding: outstanding) }
            askForMap()
        }
        target.retiresAt = .now() + Self.patienceWithImports
        if !redirection.isLasting { target.send(Self.asking, ClusterCommand(receiver: Callback {}, tag: 0, slot: nil)) }
        target.send(encoded.bytes.readableBytesView, encoded.command)
    }

    /// One command less that a server has of a slot; when it was the last one, those that waited go to the new server.
    private func left(_ command: ClusterCommand, _ node: ClusterNode) {
        guard !moving.isEmpty, let slot = command.slot, moving[slot]?.from === node else { return }
        moving[slot]?.outstanding -= 1
        guard moving[slot]?.outstanding == 0, let done = moving.removeValue(forKey: slot) else { return }
        for encoded in done.waiting { dispatch(encoded.bytes.readableBytesView, encoded.command) }
    }

    /// Sends what waited in the command's lane.
    private func advance(_ command: ClusterCommand, _ error: RedisError?) {
        guard let key = command.lane, var lane = lanes[key] else { return }
        lane.outstanding -= 1
        if let error, error.serverCode == nil { lane.error = error }
        guard lane.outstanding == 0 else { return lanes[key] = lane }
        if let error = lane.error {
            lanes[key] = nil
            for encoded in lane.waiting {
                encoded.command.receiver.failed(error.asUnavailable, tag: encoded.command.tag)
            }
            return
        }
        let commands = lane.next()
        lanes[key] = commands.isEmpty ? nil : lane
        for encoded in commands { dispatch(encoded.bytes.readableBytesView, encoded.command) }
    }

    private static let asking = ByteBuffer(string: "*1\r\n$6\r\nASKING\r\n").readableBytesView
}

/// Hears that there is an answer.
private final class Callback: RedisReceiver {
    private let body: () -> Void

    init(_ body: @escaping () -> Void) { self.body = body }

    func received(_ reply: RedisReply, tag: Int) { body() }
    func failed(_ error: RedisError, tag: Int) { body() }
}

@available(*, unavailable)
extension RedisCluster: Sendable {}
