import Testing

@testable import CarillonBench

/// A bench that sees nothing proves nothing: it is shown a hub with known faults.
@Suite(.serialized) struct FaultyHubTests {
    private func run(_ faults: FaultyHub.Faults, drain: Duration = .seconds(2)) async throws -> CellResult {
        let hub = FaultyHub(faults)
        try await hub.start()
        var result = CellResult(hub: hub.name, cell: "test")
        let shape = LoadShape(connections: 10, users: 10, publishers: 5, pace: .open(perSecond: 500))
        let cell = RateCell(shape: shape, drain: drain)
        try await cell.run(hub, &result, BenchPace(factor: 0.1))
        await hub.stop()
        return result
    }

    @Test func aFaultlessHubIsFaultless() async throws {
        let result = try await run(FaultyHub.Faults(), drain: .seconds(30))
        #expect(result.isFaultless, "\(result)")
        #expect(result.deliveredPerSecond ?? 0 > 0)
        #expect(result.hubMicroseconds == nil && result.redisCommands == nil)
    }

    @Test func seesWhatIsLost() async throws {
        let result = try await run(FaultyHub.Faults(dropsEach: 20))
        #expect(result.lost ?? 0 > 10 && result.duplicated == 0 && result.disordered == 0 && result.errors == 0)
    }

    @Test func seesWhatComesTwice() async throws {
        let result = try await run(FaultyHub.Faults(repeatsEach: 20))
        #expect(result.duplicated ?? 0 > 10 && result.lost == 0 && result.disordered == 0)
    }

    @Test func seesWhatComesOutOfOrder() async throws {
        let result = try await run(FaultyHub.Faults(swapsEach: 7))
        #expect(result.disordered ?? 0 > 10 && result.duplicated == 0)
    }

    @Test func seesWhatIsRefused() async throws {
        let result = try await run(FaultyHub.Faults(refusesEach: 20))
        #expect(result.errors ?? 0 > 10 && result.lost == 0)
        #expect(!result.isFaultless)
    }
}
