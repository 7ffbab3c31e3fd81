import NIOCore

/// A command on its way through a cluster, without its bytes.
struct ClusterCommand {
    let receiver: any RedisReceiver
    let tag: Int
    /// Nil for one without a key.
    let slot: UInt16?
    let lane: Lane.Key?
    /// How often a server sent it elsewhere.
    private(set) var redirections = 0

    init(receiver: any RedisReceiver, tag: Int, slot: UInt16?) {
        self.receiver = receiver
        self.tag = tag
        self.slot = slot
        self.lane = slot == nil ? nil : receiver.lane(of: tag).map { Lane.Key(ObjectIdentifier(receiver), $0) }
    }

    var redirected: ClusterCommand {
        var command = self
        command.redirections += 1
        return command
    }
}

/// A command that waits, with its bytes.
struct EncodedCommand {
    let command: ClusterCommand
    let bytes: ByteBuffer

    init(_ command: ClusterCommand, _ bytes: ByteBuffer) {
        self.command = command
        self.bytes = bytes
    }
}

/// Commands of one receiver that must take effect one after the other: those of one slot go together, the next slot's wait for
/// their answers.
struct Lane {
    struct Key: Hashable {
        private let receiver: ObjectIdentifier
        private let number: Int

        init(_ receiver: ObjectIdentifier, _ number: Int) {
            self.receiver = receiver
            self.number = number
        }
    }

    /// Whose commands are on their way.
    var slot: UInt16
    var outstanding = 1
    var waiting = CircularBuffer<EncodedCommand>()
    /// One had no reply, so that what waits must not be carried out.
    var error: RedisError?

    /// The commands that may go now; empty while some are on their way.
    mutating func next() -> [EncodedCommand] {
        guard outstanding == 0, let first = waiting.first, let slot = first.command.slot else { return [] }
        self.slot = slot
        var commands: [EncodedCommand] = []
        while waiting.first?.command.slot == slot { commands.append(waiting.removeFirst()) }
        outstanding = commands.count
        return commands
    }
}

/// Where a server sends a command that it does not serve.
///
/// - Source: Redis Cluster specification, "MOVED Redirection", "ASK redirection"
struct Redirection {
    /// The slot is there from now on; otherwise just this key is, while the slot is on its way.
    let isLasting: Bool
    let endpoint: RedisConfiguration.Endpoint

    /// Parses `MOVED 3999 10.0.0.1:6381` and `ASK 3999 10.0.0.1:6381`; nil for other errors.
    init?(_ error: RedisError, askedAt asked: RedisConfiguration.Endpoint) {
        guard case .server(let message) = error.code, message.hasPrefix("MOVED ") || message.hasPrefix("ASK ") else {
            return nil
        }
        let words = message.split(separator: " ")
        guard words.count == 3, case .tcp(let host, _) = asked,
            let endpoint = ClusterView.endpoint(words[2], askedAt: host)
        else { return nil }
        self.isLasting = words[0] == "MOVED"
        self.endpoint = endpoint
    }
}
