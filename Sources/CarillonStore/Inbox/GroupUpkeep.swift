package import CarillonDomain
import CarillonRedis

/// What one user needs in a batch of group upkeep.
package struct GroupWork {
    package let user: User
    package let handOut: HandOut
    /// Entries that devices have read.
    package let reads: [EntryReference]
    /// Other pods may hold devices that must hear of the reads.
    package let looksUpPods: Bool

    package init(user: User, handOut: HandOut, reads: [EntryReference], looksUpPods: Bool) {
        self.user = user
        self.handOut = handOut
        self.reads = reads
        self.looksUpPods = looksUpPods
    }
}

/// What the consumer group has to hand out.
package enum HandOut: Sendable {
    case nothing
    /// Entries after this id. Nobody had read them when they were added, and who has since sees to their acknowledgement.
    case new(after: StreamID)
    /// Anything; some of it may have been read before.
    case everything
}

/// What came of it.
package struct GroupResult {
    /// Read state is stored; false where Redis failed, and then nobody may be told that the entries are read.
    package let isStored: Bool
    /// Entries that were not read before.
    package let newlyRead: Int
    /// There is more to hand out.
    package let hasMore: Bool
    package let otherPods: [String]
}

extension InboxStore {
    /// Hands entries out to the consumer group and marks entries as read, for one user, in one pipeline.
    ///
    /// HSET is the read. XACK keeps the pending list a mirror of it: where it acknowledges fewer entries than were read, some
    /// were not handed out yet, so hand-out and XACK follow once more before the caller hears of it. Entries that the group
    /// hands out although they are read already (it was re-created, or somebody read them first) are acknowledged at once.
    ///
    /// - Source: Redis commands XREADGROUP, XACK, HSET
    package func keepGroup(_ work: GroupWork, completion: @escaping (GroupResult) -> Void) {
        GroupUpkeep(work, store: self, completion: completion).start()
    }
}

private final class GroupUpkeep: RedisReceiver {
    private enum Step: Int {
        case handOut
        case state
        case acknowledge
        case presence
        case repairHandOut
        case repairAcknowledge
        case create
        case createdHandOut
        case readStates
        case restorePending
    }

    /// Entries that one XREADGROUP hands out.
    private static let handOutCount = 100

    private let work: GroupWork
    private let store: InboxStore
    private let completion: (GroupResult) -> Void
    private var lastStep: Step?
    private var isStored = true
    private var newlyRead = 0
    private var acknowledged = 0
    private var handedOut: [StoredEntry] = []
    private var hasMore = false
    private var needsGroup = false
    private var otherPods: [String] = []

    init(_ work: GroupWork, store: InboxStore, completion: @escaping (GroupResult) -> Void) {
        self.work = work
        self.store = store
        self.completion = completion
    }

    func start() {
        if case .nothing = work.handOut {} else { sendHandOut(.handOut) }
        if !work.reads.isEmpty {
            send("HSET", arguments: 1 + work.reads.count * 2, .state) { arguments in
                arguments.key(Keys.state(work.user.key))
                for entry in work.reads {
                    arguments.bulk(entry.notificationID.text)
                    arguments.bulk("read" as StaticString)
                }
            }
            sendAcknowledge(work.reads.map(\.streamID), .acknowledge)
            if work.looksUpPods { send("HGETALL", arguments: 1, .presence) { $0.key(Keys.presence(work.user.key)) } }
        }
    }

    /// Other pods are looked for once the read is stored: one that comes later finds it.
    func lane(of tag: Int) -> Int? { 0 }

    func received(_ reply: RedisReply, tag: Int) {
        guard let step = Step(rawValue: tag) else { return }
        switch step {
        case .handOut, .repairHandOut, .createdHandOut: handedOut(reply)
        case .state:
            if let count = reply.integer { newlyRead = Int(count) } else { isStored = false }
        case .acknowledge: acknowledged = Int(reply.integer ?? 0)
        case .presence: otherPods = reply.hashFields { _ in true }.filter { $0 != store.settings.podID }
        case .readStates: acknowledgeRead(reply)
        case .repairAcknowledge, .create, .restorePending: break
        }
        if step == lastStep { advance(after: step) }
    }

    func failed(_ error: RedisError, tag: Int) {
        guard let step = Step(rawValue: tag) else { return }
        switch (step, error.serverCode) {
        case (.handOut, "NOGROUP"), (.repairHandOut, "NOGROUP"): needsGroup = true
        case (.create, "BUSYGROUP"): break
        case (.state, _), (_, nil): isStored = false
        default: break
        }
        if step == lastStep { advance(after: step) }
    }

    /// Goes on once all replies of a round are in.
    private func advance(after step: Step) {
        lastStep = nil
        guard isStored || work.reads.isEmpty else {
            if acknowledged > 0, step != .restorePending { restorePending() } else { finish() }
            return
        }
        switch step {
        case .handOut, .state, .acknowledge, .presence:
            if needsGroup {
                createGroup()
            } else if acknowledged < work.reads.count {
                sendHandOut(.repairHandOut)
                sendAcknowledge(work.reads.map(\.streamID), .repairAcknowledge)
            } else {
                lookAtHandedOut()
            }
        case .create, .createdHandOut:
            if acknowledged < work.reads.count {
                sendAcknowledge(work.reads.map(\.streamID), .repairAcknowledge)
            } else {
                lookAtHandedOut()
            }
        case .repairHandOut, .repairAcknowledge:
            if needsGroup { createGroup() } else { lookAtHandedOut() }
        case .readStates, .restorePending: finish()
        }
    }

    private func handedOut(_ reply: RedisReply) {
        if reply.kind == .array, reply.count == 1, reply[0].count == 2 {
            let entries = reply[0][1].streamEntries
            hasMore = entries.count >= Self.handOutCount
            handedOut += entries
        }
    }

    /// Entries that somebody read before they were handed out must not stay pending.
    private func lookAtHandedOut() {
        let ids = Set(work.reads.map(\.streamID))
        handedOut.removeAll { entry in
            if case .new(let after) = work.handOut, entry.id > after { return true }
            return entry.notificationID == nil || ids.contains(entry.id)
        }
        guard !handedOut.isEmpty else { return finish() }
        let entries = handedOut
        send("HMGET", arguments: 1 + entries.count, .readStates) { arguments in
            arguments.key(Keys.state(work.user.key))
            for entry in entries { arguments.bulk(entry.notificationID?.text ?? "") }
        }
    }

    private func acknowledgeRead(_ reply: RedisReply) {
        guard reply.kind == .array, reply.count == handedOut.count else { return }
        let read = handedOut.indices.filter { reply[$0].equals("read") }.map { handedOut[$0].id }
        guard !read.isEmpty else { return }
        store.acknowledge(read, of: work.user.key)
    }

    private func finish() {
        lastStep = nil
        completion(GroupResult(isStored: isStored, newlyRead: newlyRead, hasMore: hasMore, otherPods: otherPods))
    }
}

// MARK: - Commands

extension GroupUpkeep {
    private func send(_ command: StaticString, arguments: Int, _ step: Step, _ write: (inout RedisArguments) -> Void) {
        lastStep = step
        store.redis.send(command, arguments: arguments, to: self, tag: step.rawValue, write)
    }

    private func sendHandOut(_ step: Step) {
        send("XREADGROUP", arguments: 8, step) { arguments in
            arguments.bulk("GROUP" as StaticString)
            arguments.bulk(Keys.group)
            arguments.bulk(work.user.consumer)
            arguments.bulk("COUNT" as StaticString)
            arguments.integer(Self.handOutCount)
            arguments.bulk("STREAMS" as StaticString)
            arguments.key(Keys.stream(work.user.key))
            arguments.bulk(">" as StaticString)
        }
    }

    private func sendAcknowledge(_ ids: [StreamID], _ step: Step) {
        send("XACK", arguments: 2 + ids.count, step) { arguments in
            arguments.key(Keys.stream(work.user.key))
            arguments.bulk(Keys.group)
            for id in ids { arguments.bulk(milliseconds: id.milliseconds, sequence: id.sequence) }
        }
    }

    /// Redis took the acknowledgement and refused the read state (it may be out of memory): unread entries are pending again.
    ///
    /// - Source: Redis command XCLAIM, option FORCE
    private func restorePending() {
        send("XCLAIM", arguments: 6 + work.reads.count, .restorePending) { arguments in
            arguments.key(Keys.stream(work.user.key))
            arguments.bulk(Keys.group)
            arguments.bulk(work.user.consumer)
            arguments.integer(0)
            for entry in work.reads {
                arguments.bulk(milliseconds: entry.streamID.milliseconds, sequence: entry.streamID.sequence)
            }
            arguments.bulk("FORCE" as StaticString)
            arguments.bulk("JUSTID" as StaticString)
        }
    }

    /// Starts the group at 0, so that nothing sent before is skipped, and hands out at once.
    private func createGroup() {
        needsGroup = false
        store.createGroup(work.user.key, to: self, tag: Step.create.rawValue)
        sendHandOut(.createdHandOut)
    }
}

extension InboxStore {
    /// Creates the consumer group where it is missing; BUSYGROUP says that it is there.
    func createGroup(_ user: UserKey, to receiver: any RedisReceiver, tag: Int) {
        redis.send("XGROUP", arguments: 5, to: receiver, tag: tag) { arguments in
            arguments.bulk("CREATE" as StaticString)
            arguments.key(Keys.stream(user))
            arguments.bulk(Keys.group)
            arguments.bulk("0" as StaticString)
            arguments.bulk("MKSTREAM" as StaticString)
        }
    }

    /// Takes entries off the pending list.
    func acknowledge(_ ids: [StreamID], of user: UserKey) {
        send("XACK", arguments: 2 + ids.count) { arguments in
            arguments.key(Keys.stream(user))
            arguments.bulk(Keys.group)
            for id in ids { arguments.bulk(milliseconds: id.milliseconds, sequence: id.sequence) }
        }
    }
}
