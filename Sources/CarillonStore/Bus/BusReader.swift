package import CarillonDomain
import CarillonMetrics
package import CarillonRedis
package import NIOCore

/// Who hears what other pods say, on the loop.
package protocol BusListener: AnyObject {
    func received(_ message: BusMessage)
    /// A pod has something to say to all, so it lives, whatever the last heartbeat showed.
    func podIsThere(_ pod: String)
    /// A pod runs as a new process, and its earlier one ended without a word.
    func podRestarted(_ pod: String)
    /// Something may have been missed: every local user must be read again.
    func missedMessages()
}

/// Reads this pod's bus with one blocking XREAD on a connection of its own.
///
/// A bus that looks healthy but hears nothing is noticed by the pod's own probe: an entry that it sends to itself every second
/// and must hear within three. Then the connection is given up, the bus opened anew, and all local users are read again.
///
/// - Isolation: the event loop
/// - Source: Redis command XREAD
package final class BusReader: RedisReceiver {
    /// Where the reader stands.
    private enum Phase {
        case closed
        case opening
        case reading
    }

    private let connection: RedisConnection
    private let store: InboxStore
    private let eventLoop: any EventLoop
    private weak var listener: (any BusListener)?
    private var phase = Phase.closed
    /// The last entry that was read.
    package private(set) var position = StreamID.zero
    private var numbers: [String: UInt64] = [:]
    private var lastHeard = NIODeadline.now()
    /// Something may have been said while nobody listened.
    private var mayHaveMissed = false
    /// Replies of an earlier opening are none of our business.
    private var generation = 0

    /// How long one XREAD waits.
    private static let blockMilliseconds = 1_000
    private static let entriesPerRead = 512
    /// A pod that has not heard its own probe for so long is deaf.
    private static let deafAfter = TimeAmount.seconds(3)

    /// - Parameter connection: A connection that nothing else uses, because XREAD blocks it.
    package init(connection: RedisConnection, store: InboxStore, eventLoop: any EventLoop, listener: any BusListener) {
        self.connection = connection
        self.store = store
        self.eventLoop = eventLoop
        self.listener = listener
    }

    /// Whether the pod hears what is said to it.
    package var isHearing: Bool { phase == .reading && NIODeadline.now() - lastHeard < Self.deafAfter }

    /// Makes sure that there is a bus and goes on behind what was read last; at first from its own hello on, since what was there
    /// before was meant for an earlier process.
    package func open() {
        generation += 1
        phase = .opening
        lastHeard = .now()
        let generation = generation
        addToOwnBus(.probe, createsBus: true) { [weak self] id in
            guard let self, generation == self.generation else { return }
            guard let id else { return phase = .closed }
            // A bus that is new since then is read from its beginning, unless its ids are lower.
            if position == .zero || id <= position { position = id }
            phase = .reading
            readNext()
            if mayHaveMissed {
                mayHaveMissed = false
                store.metrics.busGaps.increment()
                listener?.missedMessages()
            }
        }
    }

    /// Sends the probe and looks whether the earlier ones were heard; called every second.
    package func probe() {
        switch phase {
        case .opening: break
        case .closed: reopen()
        case .reading:
            guard isHearing else {
                // Nothing says that this connection will ever hear again, however healthy it looks.
                connection.reconnect(because: "the pod's own probe was not heard")
                return reopen()
            }
            addToOwnBus(.probe, createsBus: false) { [weak self] id in
                // Nil: somebody deleted the bus.
                if id == nil, self?.phase == .reading, self?.store.isReady == true { self?.reopen() }
            }
        }
    }

    package func close() {
        generation += 1
        phase = .closed
    }

    private func reopen() {
        mayHaveMissed = true
        open()
    }

    /// - Parameter completion: Hears the entry's id; nil where it was not added. A key that nothing can be added to is removed,
    ///   so that the next opening makes a bus of it.
    private func addToOwnBus(_ message: BusMessage, createsBus: Bool, completion: @escaping (StreamID?) -> Void) {
        var line = ByteBuffer()
        BusFormat.write(message, into: &line)
        store.addToBus(of: store.settings.podID, lines: line, createsBus: createsBus) { [store] result in
            if case .failure(let error) = result, error.isWrongType || error.isExhausted { store.deleteBus() }
            completion((try? result.get())?.streamID)
        }
    }

    // MARK: - Reading

    private func readNext() {
        connection.send("XREAD", arguments: 7, to: self, tag: generation) { arguments in
            arguments.bulk("COUNT" as StaticString)
            arguments.integer(Self.entriesPerRead)
            arguments.bulk("BLOCK" as StaticString)
            arguments.integer(Self.blockMilliseconds)
            arguments.bulk("STREAMS" as StaticString)
            arguments.key(Keys.bus(store.settings.podID))
            arguments.bulk(milliseconds: position.milliseconds, sequence: position.sequence)
        }
    }

    package func received(_ reply: RedisReply, tag: Int) {
        guard tag == generation, phase == .reading else { return }
        if reply.kind == .array, reply.count == 1, reply[0].count == 2 {
            let entries = reply[0][1]
            for index in 0..<entries.count { read(entries[index]) }
        }
        readNext()
    }

    package func failed(_ error: RedisError, tag: Int) {
        // The next probe opens the bus again.
        if tag == generation { phase = .closed }
    }

    private func read(_ entry: RedisReply) {
        guard entry.count == 2, let id = entry[0].streamID else { return }
        position = id
        var sender = ""
        var version = BusFormat.version
        var number: UInt64?
        var lines: ByteBuffer?
        let fields = entry[1]
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            if fields[index].equals("from") {
                sender = fields[index + 1].string
            } else if fields[index].equals("n") {
                number = UInt64(fields[index + 1].string)
            } else if fields[index].equals("d") {
                lines = fields[index + 1].buffer
            } else if fields[index].equals("v") {
                version = Int(fields[index + 1].string) ?? 0
            }
        }
        if let number { count(number, from: sender) }
        store.metrics.busEntriesReceived.increment()
        store.metrics.worker(.busRouter).runs.increment()
        guard let lines, let messages = BusFormat.read(lines, version: version) else {
            listener?.missedMessages()
            return
        }
        for message in messages { handle(message, from: sender) }
    }

    /// A number that does not follow the one before means that entries were lost, or that somebody else writes here. The entry
    /// itself counts in any case: what was heard already does nothing the second time.
    private func count(_ number: UInt64, from sender: String) {
        let (expected, _) = (numbers[sender] ?? 0).addingReportingOverflow(1)
        numbers[sender] = number
        if number != expected {
            store.metrics.busGaps.increment()
            listener?.missedMessages()
        }
    }

    private func handle(_ message: BusMessage, from sender: String) {
        store.metrics.worker(.busRouter).items.increment()
        let pod = sender.lastIndex(of: "/").map { String(sender[..<$0]) } ?? sender
        switch message {
        case .probe: lastHeard = .now()
        case .joined: listener?.podIsThere(pod)
        case .restarted:
            listener?.podIsThere(pod)
            listener?.podRestarted(pod)
        case .resync:
            listener?.podIsThere(pod)
            listener?.missedMessages()
        default: listener?.received(message)
        }
    }
}

@available(*, unavailable)
extension BusReader: Sendable {}
