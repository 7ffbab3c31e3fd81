package import CarillonDomain
import CarillonRedis
import NIOCore

/// One user of a notify request and the id that was made for him.
package struct AppendTarget: Sendable {
    package let user: User
    package let notificationID: NotificationID

    package init(user: User, notificationID: NotificationID) {
        self.user = user
        self.notificationID = notificationID
    }
}

/// What became of one target.
package struct AppendedEntry {
    /// Place among the targets.
    package let index: Int
    package let streamID: StreamID
    /// The entry right before it; nil where another writer came between, so that it cannot be told.
    package let predecessor: StreamID?
    /// Other pods that hold devices of the user.
    package let otherPods: [String]
    /// False where an earlier try of a keyed request had added it.
    package let isNew: Bool
}

/// Who hears of an append, on the loop.
package protocol AppendObserver: AnyObject {
    /// Payload and stream entry of one target are confirmed.
    func appended(_ entry: AppendedEntry)
    /// Every target has been answered; `stored` of them are confirmed.
    func appendFinished(stored: Int)
}

/// How entries are added.
package enum AppendMode {
    case plain
    /// Adds only what is not there yet, for requests with an Idempotency-Key.
    case keyed(Reservation)
}

extension InboxStore {
    /// Stores one notification for each target: payload first, then the stream entry, then a look at the entry before it.
    ///
    /// A crash between payload and entry leaves an orphan that expires. An XADD whose outcome is unknown is never sent again.
    ///
    /// - Cost: three commands per target (SET, XADD, XREVRANGE), and HGETALL where `lookUpPods`; one write per tick.
    /// - Parameter lookUpPods: Whether other pods may hold devices of these users.
    package func append(
        _ content: NotificationContent,
        to targets: [AppendTarget],
        ttlSeconds: Int,
        mode: AppendMode,
        lookUpPods: Bool,
        observer: any AppendObserver
    ) {
        let append = Append(
            targets: targets,
            lookUpPods: lookUpPods,
            ttlSeconds: ttlSeconds,
            store: self,
            observer: observer
        )
        for (index, target) in targets.enumerated() {
            payloadBuffer.clear()
            content.writePayload(id: target.notificationID, target: target.user, into: &payloadBuffer)
            writes.send("SET", arguments: 4, to: append, tag: Append.tag(index, .payload)) { arguments in
                arguments.key(Keys.payload(target.notificationID))
                arguments.bulk(payloadBuffer)
                arguments.bulk("EX" as StaticString)
                arguments.integer(ttlSeconds)
            }
            send(target, index, mode, append)
            let key = target.user.key
            writes.send("XREVRANGE", arguments: 5, to: append, tag: Append.tag(index, .predecessor)) { arguments in
                arguments.key(Keys.stream(key))
                arguments.bulk("+" as StaticString)
                arguments.bulk("-" as StaticString)
                arguments.bulk("COUNT" as StaticString)
                arguments.bulk("2" as StaticString)
            }
            if lookUpPods {
                writes.send("HGETALL", arguments: 1, to: append, tag: Append.tag(index, .presence)) { arguments in
                    arguments.key(Keys.presence(key))
                }
            }
        }
    }

    private func send(_ target: AppendTarget, _ index: Int, _ mode: AppendMode, _ append: Append) {
        let tag = Append.tag(index, .entry)
        switch mode {
        case .plain:
            writes.send("XADD", arguments: 7, to: append, tag: tag) { arguments in
                arguments.key(Keys.stream(target.user.key))
                arguments.bulk("MAXLEN" as StaticString)
                arguments.bulk("~" as StaticString)
                arguments.integer(settings.streamMaxLength)
                arguments.bulk("*" as StaticString)
                arguments.bulk("nid" as StaticString)
                arguments.bulk(target.notificationID.text)
            }
        case .keyed(let reservation):
            writes.send("EVAL", arguments: 7, to: append, tag: tag) { arguments in
                arguments.bulk(Scripts.appendOnce)
                arguments.integer(1)
                arguments.key(Keys.stream(target.user.key))
                arguments.bulk(target.notificationID.text)
                arguments.integer(reservation.reservedAt)
                arguments.integer(reservation.isFirst ? reservation.leaseEnd : 0)
                arguments.integer(settings.streamMaxLength)
            }
        }
    }
}

/// The replies of one append, put together per target.
private final class Append: RedisReceiver {
    enum Step: Int {
        case payload
        case entry
        case predecessor
        case presence
    }

    private struct Progress {
        var hasPayload = false
        var isStored = false
        /// It was there before this append.
        var isFound = false
        var streamID: StreamID?
        var predecessor: StreamID?
    }

    private let targets: [AppendTarget]
    private let lastStep: Step
    private let ttlSeconds: Int
    private let store: InboxStore
    private let observer: any AppendObserver
    private var progress: [Progress]
    private var answered = 0
    private var stored = 0

    init(targets: [AppendTarget], lookUpPods: Bool, ttlSeconds: Int, store: InboxStore, observer: any AppendObserver) {
        self.targets = targets
        self.lastStep = lookUpPods ? .presence : .predecessor
        self.ttlSeconds = ttlSeconds
        self.store = store
        self.observer = observer
        self.progress = Array(repeating: Progress(), count: targets.count)
    }

    static func tag(_ index: Int, _ step: Step) -> Int { index << 2 | step.rawValue }

    /// A target's entry comes after its payload, or would look expired, and the look for pods after that: a pod that comes later reads
    /// the entry by itself.
    func lane(of tag: Int) -> Int? { tag >> 2 }

    func received(_ reply: RedisReply, tag: Int) {
        let index = tag >> 2
        var otherPods: [String] = []
        let step = Step(rawValue: tag & 3)
        switch step {
        case .payload: progress[index].hasPayload = true
        case .entry: entryReceived(reply, index)
        case .predecessor: progress[index].predecessor = predecessor(in: reply, of: progress[index].streamID)
        case .presence: otherPods = reply.hashFields { _ in true }.filter { $0 != store.settings.podID }
        case nil: break
        }
        if step == lastStep { finish(index, otherPods) }
    }

    func failed(_ error: RedisError, tag: Int) {
        if Step(rawValue: tag & 3) == lastStep { finish(tag >> 2, []) }
    }

    private func entryReceived(_ reply: RedisReply, _ index: Int) {
        switch reply.kind {
        case .string:
            progress[index].streamID = reply.streamID
            progress[index].isStored = true
        case .array where reply.count == 2:
            // The script of keyed appends: id (empty where it was trimmed since) and whether it was there before.
            progress[index].streamID = reply[0].streamID
            progress[index].isFound = reply[1].integer == 1
            progress[index].isStored = true
        default: break
        }
        guard !progress[index].hasPayload else { return }
        progress[index].isStored = false
        // An entry whose payload was refused must not show up as expired; one of an earlier try may have its payload still.
        if !progress[index].isFound, let id = progress[index].streamID {
            store.send("XDEL", arguments: 2) { arguments in
                arguments.key(Keys.stream(targets[index].user.key))
                arguments.bulk(milliseconds: id.milliseconds, sequence: id.sequence)
            }
        }
    }

    /// Usable only if the newest entry is the one just added; then no second entry means that it is the first of all.
    private func predecessor(in reply: RedisReply, of id: StreamID?) -> StreamID? {
        guard let id, reply.kind == .array, reply.count > 0, reply[0].count == 2, reply[0][0].streamID == id else {
            return nil
        }
        return reply.count > 1 ? reply[1][0].streamID : .zero
    }

    private func finish(_ index: Int, _ otherPods: [String]) {
        let target = progress[index]
        if target.isStored {
            stored += 1
            if let id = target.streamID {
                store.activity.notified(targets[index].user.key, id, ttlSeconds: ttlSeconds)
                observer.appended(
                    AppendedEntry(
                        index: index,
                        streamID: id,
                        predecessor: target.predecessor,
                        otherPods: otherPods,
                        isNew: !target.isFound
                    )
                )
            }
        }
        answered += 1
        if answered == targets.count { observer.appendFinished(stored: stored) }
    }
}
