/// A hub that keeps the inboxes of very many users: how fast they are stored, and whether it serves some of them any slower for it.
struct StreamsCell: CellWork {
    var users: Int
    var rate: RateCell

    /// Targets of each request that fills.
    private static let targets = 100

    func run(_ hub: any Hub, _ result: inout CellResult, _ pace: BenchPace) async throws {
        let filling = LoadShape(connections: 0, users: users, targets: Self.targets, publishers: 32)
        try await LoadSession.with(hub, filling) { session in
            try await session.connectPublishers()
            try await session.with { $0.desk.publishOnceToAll() }
            try await session.settle(within: .seconds(300)) { $0.desk.isIdle }
            let refused = try await session.with { $0.tally.refused }
            guard refused == 0 else { throw BenchError("\(refused) requests that fill the inboxes were refused") }
        }
        let before = try await Usage.read(hub)
        try await Task.sleep(for: pace.scaled(.seconds(20)))
        let idle = UsageDifference(from: before, to: try await Usage.read(hub))
        try await rate.run(hub, &result, pace)
        result.idleCores = (idle.hubSeconds + idle.redisSeconds) / idle.seconds
    }
}
