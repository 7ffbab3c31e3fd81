import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// Collects what consumer groups need and does it in batches behind the pushes.
///
/// Several notifications of a user in one batch become one XREADGROUP, one HSET and one XACK. So the longer a batch is collected, the
/// less each costs, and the more there is to do, the longer it is collected: reads, for which a device awaits its
/// `notification.read.ack`, for at most some 50 ms, and entries that are to be handed out, for which nobody waits, for half a second.
/// While there is little to do both are done within 10 ms.
///
/// - Isolation: the event loop
final class GroupKeeper {
    private struct WaitingHandOut {
        let inbox: Inbox
        /// `Inbox.handOuts` when it began to wait.
        let number: Int
    }

    private unowned let hub: Hub
    private var reads = UpkeepQueue<Inbox>(batch: 64, portions: 25)
    private var handOuts = UpkeepQueue<WaitingHandOut>(batch: 32, portions: 250)
    private var isScheduled = false

    /// How long a batch is collected; half of it is the mean price in the latency of an acknowledgement.
    private static let window = TimeAmount.milliseconds(10)
    /// From one portion of a large batch to the next. Redis does a portion in the time of some messages; all in one go would hold up
    /// everybody's.
    private static let pause = TimeAmount.milliseconds(2)

    init(hub: Hub) { self.hub = hub }

    /// Users with something to do.
    var waiting: Int { reads.count + handOuts.count }

    /// The user may have something to hand out.
    func queueHandOut(_ inbox: Inbox) {
        guard inbox.needsHandOut, !inbox.isQueuedForHandOut else { return }
        inbox.isQueuedForHandOut = true
        handOuts.append(WaitingHandOut(inbox: inbox, number: inbox.handOuts))
        schedule(in: Self.window)
    }

    /// The user has reads to store.
    func queueReads(_ inbox: Inbox) {
        guard !inbox.reads.isEmpty, !inbox.isQueuedForReads else { return }
        inbox.isQueuedForReads = true
        reads.append(inbox)
        schedule(in: Self.window)
    }

    private func schedule(in delay: TimeAmount) {
        guard !isScheduled else { return }
        isScheduled = true
        hub.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.isScheduled = false
            self.work(on: self.reads.next(), self.handOuts.next())
            if self.waiting > 0 { self.schedule(in: Self.pause) }
        }
    }

    /// Does everything that waits, what is queued anew meanwhile included.
    func flush() {
        while waiting > 0 { work(on: reads.all(), handOuts.all()) }
    }

    private func work(on reads: [Inbox], _ handOuts: [WaitingHandOut]) {
        for inbox in reads {
            inbox.isQueuedForReads = false
            if !inbox.reads.isEmpty { work(on: inbox) }
        }
        for waiting in handOuts {
            let inbox = waiting.inbox
            inbox.isQueuedForHandOut = false
            // What waited was handed out along with reads where the number differs, and what there is now has come since.
            if waiting.number != inbox.handOuts { queueHandOut(inbox) } else if inbox.needsHandOut { work(on: inbox) }
        }
    }

    /// Stores the user's reads and hands out what there is, in one go.
    private func work(on inbox: Inbox) {
        let reads = inbox.reads
        inbox.reads = []
        let work = GroupWork(
            user: inbox.key.user,
            handOut: inbox.takeHandOut(),
            reads: reads.map(\.entry),
            looksUpPods: !hub.pods.isAlone
        )
        hub.store.keepGroup(work) { [self] result in
            finished(inbox, reads, result)
        }
    }

    private func finished(_ inbox: Inbox, _ reads: [PendingRead], _ result: GroupResult) {
        if result.hasMore { inbox.needsWholeHandOut() }
        hub.metrics.notificationsAcked.increment(by: result.newlyRead)
        let now = reads.isEmpty ? 0 : Timestamp.nowMilliseconds()
        let areNew = result.newlyRead == reads.count
        for read in reads {
            if result.isStored {
                let id = read.entry.notificationID
                hub.receiptKeeper.note(areNew ? .read(id, at: now) : .readAgain(id, at: now), for: inbox)
                hub.tellRead(read.entry, of: inbox.key, otherPods: result.otherPods)
            } else {
                let error = ClientFrameError(
                    .unavailable,
                    "Redis did not confirm; say it again",
                    type: "notification.read",
                    entry: read.entry
                )
                read.device?.send(error)
            }
        }
    }
}

@available(*, unavailable)
extension GroupKeeper: Sendable {}
