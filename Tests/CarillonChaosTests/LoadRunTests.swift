import CarillonChaos
import CarillonTestSupport
import Testing

/// Load on real pods, without faults.
@Suite struct LoadRunTests {
    @Test func quietRunIsGreen() async throws {
        try await withPods(2) { redis, pods in
            let plan = FleetPlan(users: 20, postsPerSecond: 200, moveEvery: .milliseconds(100))
            let ports = pods.map(\.port)
            let run = try await LoadRun.make(plan, ports: ports)
            try await run.call { fleet, _ in fleet.start() }
            try await wait(until: "600 posts were sent", within: .seconds(30)) {
                try await run.call { _, ledger in ledger.counts.posts >= 600 }
            }
            let ledger = try await run.finish()
            let audit = try await Audit(redisPort: redis.port, ports: ports).run(ledger)
            try await run.stop()

            let verdict = Verdict(seed: 1, command: "none", ledger: ledger, audit: audit)
            let isGreen = verdict.isGreen
            #expect(isGreen, "\(verdict.text)")
            #expect(verdict.lost == 0)
            #expect(ledger.counts.accepted >= 600)
            #expect(audit.stored == ledger.counts.accepted)
            #expect(ledger.counts.delivered >= ledger.counts.accepted)
            #expect(ledger.counts.readsAcknowledged == ledger.counts.readsSaid)
            #expect(audit.read == ledger.counts.readsAcknowledged)
            #expect(ledger.counts.readsSaid > ledger.counts.accepted / 4)
            #expect(ledger.counts.unknown == 0 && ledger.counts.refused == 0)
            #expect(ledger.quietLatency.count == ledger.counts.delivered)
            #expect(audit.replays == 20)
        }
    }
}
