import CarillonDomain
import CarillonMetrics
import CarillonStore
package import NIOCore

/// Renews lock and presence of every local user and compares his stream with the cursor, once per upkeep interval; and looks more
/// often whether his presence is still there, because without it other pods keep silent.
///
/// Users are visited a few at a time over the whole interval, so the cost is even: ten commands per user and interval.
///
/// - Isolation: the event loop
package final class PresenceKeeper {
    private let hub: Hub
    private var round: ArraySlice<UserKey> = []
    private var perTick = 0
    private var tick = 0
    private var task: RepeatedTask?

    /// Rounds over all users in one interval; in one of them each user's turn comes.
    private static let rounds = 5
    /// Ticks in which a round is done.
    private static let ticks: Int64 = 20

    package init(hub: Hub) { self.hub = hub }

    package func start(interval: TimeAmount) {
        let tick = TimeAmount.nanoseconds(interval.nanoseconds / Int64(Self.rounds) / Self.ticks)
        let keeper = NIOLoopBound(self, eventLoop: hub.eventLoop)
        task = hub.eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { _ in keeper.value.visitSome() }
    }

    package func stop() { task?.cancel() }

    private func visitSome() {
        if tick == 0 {
            round = ArraySlice(hub.inboxes.keys)
            perTick = (round.count + Int(Self.ticks) - 1) / Int(Self.ticks)
            hub.metrics.worker(.upkeep).runs.increment()
        }
        tick = (tick + 1) % Int(Self.ticks)
        guard hub.store.isReady else { return }
        for user in round.prefix(perTick) {
            if let inbox = hub.inboxes[user] { visit(inbox) }
        }
        round = round.dropFirst(perTick)
    }

    private func visit(_ inbox: Inbox) {
        inbox.rounds += 1
        guard inbox.rounds % Self.rounds == 0 else { return check(inbox) }
        hub.metrics.worker(.upkeep).items.increment()
        hub.confirmPresence(inbox)
        // Somebody may have written to the stream without telling the hub.
        hub.compareHistory(of: inbox) { if let last = $0 { inbox.heardOf(last) } }
    }

    /// Somebody may have deleted what this pod says of the user.
    private func check(_ inbox: Inbox) {
        hub.store.isPresent(inbox.key) { [hub] isPresent in
            guard !isPresent, hub.inboxes[inbox.key] === inbox else { return }
            hub.confirmPresence(inbox)
            inbox.resync()
        }
    }
}

@available(*, unavailable)
extension PresenceKeeper: Sendable {}
