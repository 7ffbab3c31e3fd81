internal import CarillonDomain
internal import NIOCore

/// Some users subscribe to some channels, and change their minds now and then. What nobody confirmed is said again, on any of the
/// user's devices, and so is what a fault may have undone.
///
/// - Isolation: the event loop
final class FleetSubscriptions {
    private static let interval = TimeAmount.milliseconds(50)
    /// Until something is said again that nobody confirmed.
    private static let patience = TimeAmount.milliseconds(500)
    /// A user thinks for so long between two changes, so that late news of one is not taken for that of the next.
    private static let pause = TimeAmount.seconds(5)
    /// Of many channels each user takes more, so that each has somebody who listens.
    private static let channelsAtFirst = 3
    private static let shareAtFirst = 20

    private unowned let fleet: Fleet
    /// What each subscriber wants.
    private var wanted: [Int: Set<Topic>] = [:]
    private var saidAt: [Int: NIODeadline] = [:]
    private var changedAt: [Int: NIODeadline] = [:]
    private var subscribers: [Int] = []
    private var nextChange = NIODeadline.now()
    private var isChanging = false

    init(fleet: Fleet) { self.fleet = fleet }

    var isSettled: Bool { subscribers.allSatisfy { fleet.ledger.unconfirmedSubscriptions(of: $0).isEmpty } }

    func start() {
        guard fleet.plan.topicShare > 0 else { return }
        isChanging = true
        for user in 0..<fleet.plan.users where fleet.chance(fleet.plan.subscriberShare) {
            let most = max(Self.channelsAtFirst, fleet.plan.channels.count / Self.shareAtFirst)
            let count = Int.random(in: 1...most, using: &fleet.random)
            let channels = Set(fleet.plan.channels.shuffled(using: &fleet.random).prefix(count))
            subscribers.append(user)
            wanted[user] = channels
            change(user, channels, isOn: true)
        }
        tick()
    }

    func stopChanging() { isChanging = false }

    private func tick() {
        for user in subscribers { sayAgain(user) }
        let now = NIODeadline.now()
        if isChanging, let pause = fleet.plan.resubscribeEvery, now >= nextChange {
            nextChange = now + TimeAmount(pause)
            if let user = subscribers.randomElement(using: &fleet.random) { changeMind(user, now) }
        }
        fleet.after(Self.interval) { [unowned self] in tick() }
    }

    private func changeMind(_ user: Int, _ now: NIODeadline) {
        guard now > changedAt[user, default: .distantPast] + Self.pause,
            fleet.ledger.unconfirmedSubscriptions(of: user).isEmpty,
            let channel = fleet.plan.channels.randomElement(using: &fleet.random),
            fleet.speaker(for: user) != nil
        else { return }
        changedAt[user] = now
        let isOn = wanted[user, default: []].insert(channel).inserted
        if !isOn { wanted[user]?.remove(channel) }
        change(user, [channel], isOn: isOn)
    }

    private func sayAgain(_ user: Int) {
        let now = NIODeadline.now()
        guard now > saidAt[user, default: .distantPast] + Self.patience else { return }
        let unconfirmed = fleet.ledger.unconfirmedSubscriptions(of: user)
        for isOn in [true, false] {
            change(user, Set(unconfirmed.filter { $0.value == isOn }.keys), isOn: isOn)
        }
    }

    private func change(_ user: Int, _ channels: Set<Topic>, isOn: Bool) {
        guard !channels.isEmpty, let device = fleet.speaker(for: user) else { return }
        saidAt[user] = .now()
        device.changeSubscriptions(channels, isSubscribing: isOn)
    }
}

@available(*, unavailable)
extension FleetSubscriptions: Sendable {}
