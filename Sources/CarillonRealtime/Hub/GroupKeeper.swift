import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// Collects what consumer groups need and does it in batches behind the pushes: nobody waits for it but `notification.read.ack`.
///
/// Several notifications of a user in one batch become one XREADGROUP, one HSET and one XACK.
///
/// - Isolation: the event loop
final class GroupKeeper {
    private unowned let hub: Hub
    private var queued: [Inbox] = []
    var waiting: Int { queued.count }
    private var isScheduled = false

    /// How long a batch is collected; half of it is the mean price in the latency of an acknowledgement.
    private static let window = TimeAmount.milliseconds(10)
    private static let batchSize = 64

    init(hub: Hub) { self.hub = hub }

    /// The user has something to hand out, or reads to store.
    func queue(_ inbox: Inbox) {
        guard inbox.needsUpkeep, !inbox.isQueued else { return }
        inbox.isQueued = true
        queued.append(inbox)
        if queued.count >= Self.batchSize {
            flush()
        } else if !isScheduled {
            isScheduled = true
            hub.eventLoop.assumeIsolated().scheduleTask(in: Self.window) {
                self.isScheduled = false
                self.flush()
            }
        }
    }

    func flush() {
        let batch = queued
        queued.removeAll(keepingCapacity: true)
        for inbox in batch { work(on: inbox) }
    }

    private func work(on inbox: Inbox) {
        inbox.isQueued = false
        guard inbox.needsUpkeep else { return }
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
        for read in reads {
            if result.isStored {
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
