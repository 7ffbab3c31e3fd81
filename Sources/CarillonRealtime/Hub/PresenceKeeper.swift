import CarillonDomain
import CarillonMetrics
import CarillonStore
package import NIOCore

/// Renews lock and presence of every local user and compares his stream with the cursor, once per upkeep interval; and looks more
/// often whether his presence is still there, because without it other pods keep silent.
///
/// Users are visited a few at a time over the whole interval, so the cost is even: four commands per user and interval.
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
    /// Ticks in which a round is done: so many that what a tick asks of Redis holds up nobody's messages.
    private static let ticks: Int64 = 40
    /// Users that one command looks at, so that it is soon done.
    private static let checkedAtOnce = 64

    package init(hub: Hub) { self.hub = hub }

    package func start(interval: TimeAmount) {
        let tick = TimeAmount.nanoseconds(interval.nanoseconds / Int64(Self.rounds) / Self.ticks)
        let keeper = NIOLoopBound(self, eventLoop: hub.eventLoop)
        task = hub.eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { _ in keeper.value.visitSome() }
    }

    package func stop() { task?.cancel() }

    private func visitSome() {
        if hub.store.isReady { hub.topics.checkSome(ticks: Self.rounds * Int(Self.ticks)) }
        if tick == 0 {
            round = ArraySlice(hub.inboxes.keys)
            perTick = (round.count + Int(Self.ticks) - 1) / Int(Self.ticks)
            hub.metrics.worker(.upkeep).runs.increment()
        }
        tick = (tick + 1) % Int(Self.ticks)
        guard hub.store.isReady else { return }
        var others: [UserKey] = []
        for user in round.prefix(perTick) {
            guard let inbox = hub.inboxes[user] else { continue }
            inbox.rounds += 1
            if inbox.rounds % Self.rounds == 0 { visit(inbox) } else { others.append(user) }
        }
        round = round.dropFirst(perTick)
        for start in stride(from: 0, to: others.count, by: Self.checkedAtOnce) {
            check(Array(others[start..<min(start + Self.checkedAtOnce, others.count)]))
        }
    }

    private func visit(_ inbox: Inbox) {
        hub.metrics.worker(.upkeep).items.increment()
        hub.confirmPresence(inbox)
        hub.topics.keep(inbox)
        // Somebody may have written to the stream without telling the hub.
        hub.compareHistory(of: inbox) { if let last = $0 { inbox.heardOf(last) } }
    }

    /// Somebody may have deleted what the pods say of these users.
    private func check(_ users: [UserKey]) {
        hub.store.areAllPresent(users) { [self] areAllPresent in
            if !areAllPresent { users.forEach(find) }
        }
    }

    private func find(_ user: UserKey) {
        hub.store.isPresent(user) { [hub] isPresent in
            guard !isPresent, let inbox = hub.inboxes[user] else { return }
            hub.presenceIsLost(of: inbox)
        }
    }
}

@available(*, unavailable)
extension PresenceKeeper: Sendable {}
