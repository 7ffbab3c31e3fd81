/// The hub dies under all its devices, a message is published for each of them, and all come back at once.
struct StormCell: CellWork {
    var connections: Int

    private static let patience = Duration.seconds(30)

    func run(_ hub: any Hub, _ result: inout CellResult, _ pace: BenchPace) async throws {
        let shape = LoadShape(
            connections: connections,
            users: connections,
            publishers: 32,
            resumes: true,
            handshakes: 1_000
        )
        try await LoadSession.with(hub, shape) { try await measure(hub, $0, &result) }
    }

    private func measure(_ hub: any Hub, _ session: LoadSession, _ result: inout CellResult) async throws {
        let connections = connections
        try await session.connectDevices()
        try await session.connectPublishers()
        // Everybody gets something first, and so a place to go on from.
        try await session.with { $0.desk.publishOnceToAll() }
        try await session.settle(within: Self.patience) { $0.tally.delivered == connections }
        try await hub.crash()
        try await session.settle(within: Self.patience) { $0.audience.connected == 0 }
        try await hub.restart()
        let refused = try await session.with { parts in
            let refused = parts.tally.refused
            parts.desk.publishOnceToAll()
            return refused
        }
        try await session.settle(within: Self.patience) { $0.desk.isIdle }
        let start = ContinuousClock.now
        try await session.connectDevices()
        result.backSeconds = (ContinuousClock.now - start).seconds
        try await session.settle(within: Self.patience) { $0.tally.lost == 0 }
        result.recoveredSeconds = (ContinuousClock.now - start).seconds
        (result.lost, result.duplicated, result.errors) = try await session.with { parts in
            (parts.tally.lost, parts.tally.duplicated, parts.tally.refused - refused)
        }
    }
}
