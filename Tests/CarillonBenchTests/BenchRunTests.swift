import CarillonTestSupport
import Testing

@testable import CarillonBench

/// Small cells on a real server.
@Suite(.serialized) struct BenchRunTests {
    private func run(_ work: any CellWork, hub: CarillonHub = CarillonHub()) async throws -> CellResult {
        var result = CellResult(hub: "carillon", cell: "test")
        try await hub.start()
        do {
            try await work.run(hub, &result, BenchPace(factor: 0.2))
        } catch {
            await hub.stop()
            throw error
        }
        await hub.stop()
        return result
    }

    @Test func closedLoopIsFaultless() async throws {
        let result = try await run(RateCell(shape: LoadShape(connections: 50, users: 50, publishers: 8)))
        #expect(result.isFaultless, "\(result)")
        #expect(result.deliveredPerSecond ?? 0 > 100)
        #expect(result.latency != nil && result.hubMicroseconds ?? 0 > 0 && result.redisMicroseconds ?? 0 > 0)
        #expect(result.redisCommands ?? 0 > 2)
    }

    @Test func openLoopKeepsItsPace() async throws {
        let shape = LoadShape(
            connections: 20,
            users: 20,
            publishers: 8,
            pace: .open(perSecond: 200),
            isRandom: true
        )
        let result = try await run(RateCell(shape: shape))
        #expect(result.isFaultless, "\(result)")
        #expect((180...220).contains(result.deliveredPerSecond ?? 0))
    }

    @Test func readsAreCountedAsWell() async throws {
        let shape = LoadShape(connections: 20, users: 20, publishers: 4, pace: .closed(window: 40), reads: true)
        let result = try await run(RateCell(shape: shape))
        #expect(result.isFaultless, "\(result)")
    }

    @Test func manyTargetsAndManyDevicesAreFaultless() async throws {
        let targets = LoadShape(connections: 40, users: 20, targets: 10, publishers: 2, pace: .closed(window: 4))
        let several = try await run(RateCell(shape: targets))
        #expect(several.isFaultless, "\(several)")
        let fanOut = try await run(
            RateCell(shape: LoadShape(connections: 30, users: 1, publishers: 1, pace: .closed(window: 2)))
        )
        #expect(fanOut.isFaultless && fanOut.deliveredPerSecond ?? 0 > 0, "\(fanOut)")
    }

    @Test func messagesCrossFromPodToPod() async throws {
        let shape = LoadShape(connections: 20, users: 20, publishers: 4, pace: .closed(window: 40))
        let result = try await run(RateCell(shape: shape), hub: CarillonHub(pods: 2, isCrossed: true))
        #expect(result.isFaultless, "\(result)")
        #expect(result.deliveredPerSecond ?? 0 > 0)
    }

    @Test func idleDevicesAreMeasured() async throws {
        let result = try await run(IdleCell(connections: 100, hold: .seconds(1)))
        #expect(result.errors == 0 && result.idleCores != nil && result.connectMicroseconds ?? 0 > 0)
    }

    @Test func everybodyRecoversFromAStorm() async throws {
        let result = try await run(StormCell(connections: 100))
        #expect(result.lost == 0 && result.duplicated == 0, "\(result)")
        #expect(result.recoveredSeconds ?? 0 > 0)
    }

    @Test func manyInboxesAreFilled() async throws {
        let rate = RateCell(
            shape: LoadShape(connections: 10, users: 10, publishers: 2, pace: .open(perSecond: 50), isRandom: true)
        )
        let result = try await run(StreamsCell(users: 2_000, rate: rate))
        #expect(result.isFaultless && result.idleCores != nil, "\(result)")
    }
}
