/// Devices that say nothing: what each costs in memory and to connect, and what all of them cost while nothing happens.
struct IdleCell: CellWork {
    var connections: Int
    /// Long enough for the work that comes in turns: pings, locks, presence.
    var hold = Duration.seconds(30)

    private static let settle = Duration.seconds(3)

    func run(_ hub: any Hub, _ result: inout CellResult, _ pace: BenchPace) async throws {
        let shape = LoadShape(connections: connections, users: connections)
        try await LoadSession.with(hub, shape) { try await measure(hub, $0, &result, pace) }
    }

    private func measure(
        _ hub: any Hub,
        _ session: LoadSession,
        _ result: inout CellResult,
        _ pace: BenchPace
    ) async throws {
        let before = try await Usage.read(hub)
        try await session.connectDevices()
        let connecting = UsageDifference(from: before, to: try await Usage.read(hub))
        try await Task.sleep(for: Self.settle)
        let settled = try await Usage.read(hub)
        try await Task.sleep(for: pace.scaled(hold))
        let idle = UsageDifference(from: settled, to: try await Usage.read(hub))
        if await hub.processes() != nil {
            result.bytesPerSocket = Double(settled.hubBytes - before.hubBytes) / Double(connections)
            result.connectMicroseconds = connecting.hubSeconds * 1e6 / Double(connections)
            result.idleCores = (idle.hubSeconds + idle.redisSeconds) / idle.seconds
        }
        result.otherCores = idle.otherCores
        result.errors = try await session.with { $0.audience.dropped + $0.audience.failures }
    }
}
