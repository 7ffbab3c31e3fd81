import NIOCore

/// The ledger of a run, and the fleet once it has started.
///
/// - Isolation: the event loop
final class ChaosLoad {
    /// Posts of a soak that are to a hundred users.
    private static let crowdShare = 0.005

    private let options: ChaosOptions
    let ledger: Ledger
    private(set) var fleet: Fleet?

    init(_ options: ChaosOptions) {
        self.options = options
        ledger = Ledger(payloadLife: options.soak.map { .seconds($0.payloadSeconds) } ?? WorldPlan.payloadLife)
    }

    func start(ports: [Int], on eventLoop: any EventLoop) {
        let plan = FleetPlan(
            users: options.users,
            devicesPerUser: options.devicesPerUser,
            postsPerSecond: options.postsPerSecond,
            keyedShare: options.keyedShare,
            racedShare: options.racedShare,
            crowdShare: options.soak == nil ? 0 : Self.crowdShare,
            topicShare: options.topicShare,
            channels: options.channels,
            resubscribeEvery: .milliseconds(500),
            readShare: options.readShare,
            moveEvery: .seconds(1)
        )
        let fleet = Fleet(eventLoop: eventLoop, plan: plan, ports: ports, ledger: ledger, seed: options.seed)
        fleet.start()
        self.fleet = fleet
    }
}

@available(*, unavailable)
extension ChaosLoad: Sendable {}
