import CarillonChaos
import CarillonLoad
import CarillonTestSupport
import Testing

/// Load on real pods; one run at a time, because lateness is judged.
@Suite(.serialized) struct LoadRunTests {
    @Test func quietRunIsGreen() async throws {
        try await withPods(2) { redis, pods in
            let plan = FleetPlan(users: 20, postsPerSecond: 200, moveEvery: .milliseconds(100))
            let ports = pods.map(\.port)
            let run = try await LoadRun.make(plan, ports: ports)
            try await run.call { fleet, _ in fleet.start() }
            try await posts(600, of: run)
            let (ledger, audit, verdict) = try await closing(run, redis, ports)
            #expect(verdict.lost == 0)
            #expect(ledger.counts.accepted >= 600)
            #expect(audit.stored == ledger.counts.accepted)
            #expect(ledger.counts.delivered >= ledger.counts.accepted)
            #expect(ledger.counts.readsAcknowledged == ledger.counts.readsSaid)
            #expect(audit.read == ledger.counts.readsAcknowledged)
            #expect(ledger.counts.readsSaid > ledger.counts.accepted / 4)
            #expect(ledger.counts.unknown == 0 && ledger.counts.refused == 0)
            #expect(ledger.deliveries.quiet.count == ledger.counts.delivered)
            #expect(audit.replays == 20)
        }
    }

    /// Half of the posts are for channels and everybody, and users change their subscriptions all the time.
    @Test func quietRunWithTopicsIsGreen() async throws {
        try await withPods(2) { redis, pods in
            let plan = FleetPlan(
                users: 10,
                postsPerSecond: 60,
                topicShare: 0.5,
                resubscribeEvery: .milliseconds(50),
                moveEvery: .milliseconds(200)
            )
            let ports = pods.map(\.port)
            let run = try await LoadRun.make(plan, ports: ports)
            try await run.call { fleet, _ in fleet.start() }
            try await posts(400, of: run)
            let (ledger, audit, _) = try await closing(run, redis, ports)
            #expect(audit.stored == ledger.counts.accepted)
            #expect(ledger.counts.topicsAccepted > 100 && ledger.counts.topicsDelivered > ledger.counts.topicsAccepted)
            #expect(ledger.counts.subscriptionsChanged > 5)
            #expect(audit.replays == 10 && audit.lists == 10)
        }
    }

    /// A pod is killed and comes back; nothing is lost, and its devices and posts go to the other one meanwhile.
    @Test func runWithAPodThatDiesIsGreen() async throws {
        try await withPods(2) { redis, pods in
            let plan = FleetPlan(users: 10, postsPerSecond: 100)
            let ports = pods.map(\.port)
            let run = try await LoadRun.make(plan, ports: ports)
            try await run.call { fleet, _ in fleet.start() }
            try await posts(200, of: run)
            let fault = try await run.call { _, ledger in
                ledger.faultBegan(FaultRecord(name: "pod killed", detail: "the second one", excuse: .nothing))
            }
            pods[1].kill()
            try await posts(350, of: run)
            let again = try await ServerProcess.start(redisPort: redis.port, port: ports[1], podID: pods[1].podID)
            defer { again.kill() }
            try await run.call { _, ledger in ledger.faultEnded(fault) }
            try await posts(500, of: run)
            let (ledger, audit, _) = try await closing(run, redis, ports)
            #expect(ledger.counts.connectionsLost > 0)
            #expect(ledger.counts.accepted <= audit.stored)
            let record = try #require(ledger.faults.first)
            #expect(record.timeToRecover != nil && record.latency.count > 0)
        }
    }

    /// Redis hangs for longer than pods wait for it: posts are refused or lost, and all is well again in time.
    @Test func runWithARedisThatHangsIsGreen() async throws {
        try await withPods(2, environment: ["REDIS_COMMAND_TIMEOUT": "500ms"]) { redis, pods in
            let ports = pods.map(\.port)
            let plan = FleetPlan(users: 10, postsPerSecond: 100, posters: 64, moveEvery: .milliseconds(100))
            let run = try await LoadRun.make(plan, ports: ports)
            try await run.call { fleet, _ in fleet.start() }
            try await posts(100, of: run)
            let fault = try await run.call { _, ledger in
                ledger.faultBegan(FaultRecord(name: "redis hangs", detail: "", excuse: .nothing))
            }
            redis.pause()
            try await wait(until: "posts are refused") { try await run.call { $1.counts.refused > 20 } }
            redis.resume()
            try await run.call { _, ledger in ledger.faultEnded(fault) }
            let sent = try await run.call { $1.counts.posts }
            try await posts(sent + 200, of: run)
            let (ledger, _, _) = try await closing(run, redis, ports)
            #expect(ledger.counts.unknown > 0)
        }
    }

    /// Half of the devices sleep until their pods take them for gone, and some flood: all others are served as ever.
    @Test func runWithDevicesThatMisbehaveIsGreen() async throws {
        try await withPods(2, environment: ["PING_INTERVAL": "1s"]) { redis, pods in
            let ports = pods.map(\.port)
            let run = try await LoadRun.make(FleetPlan(users: 20, postsPerSecond: 200), ports: ports)
            try await run.call { fleet, _ in fleet.start() }
            try await posts(100, of: run)
            try await run.call { fleet, _ in fleet.perform(.fallAsleep(share: 0.5)) }
            try await wait(until: "some were taken for gone", within: .seconds(10)) {
                try await run.call { $1.counts.connectionsLost >= 3 }
            }
            try await run.call { fleet, _ in
                fleet.perform(.wake)
                fleet.perform(.flood(3))
            }
            let sent = try await run.call { $1.counts.posts }
            try await posts(sent + 400, of: run)
            try await run.call { fleet, _ in fleet.perform(.stopFlood) }
            _ = try await closing(run, redis, ports)
        }
    }

    /// What breaks the promise is found: Redis is wiped, and no fault is booked.
    @Test func wipeThatNobodyAnnouncedIsRed() async throws {
        try await withPods(1) { redis, pods in
            let run = try await LoadRun.make(FleetPlan(users: 4, postsPerSecond: 100), ports: pods.map(\.port))
            try await run.call { fleet, _ in fleet.start() }
            try await posts(100, of: run)
            try await WireRedis(port: redis.port)(["FLUSHALL"])
            try await posts(150, of: run)
            let ledger = try await run.finish(within: .seconds(3))
            let audit = try await Audit(redisPort: redis.port, patience: .zero).run(ledger)
            try await run.stop()
            let verdict = Verdict(seed: 1, command: "none", ledger: ledger, audit: audit)
            let isGreen = verdict.isGreen
            #expect(!isGreen)
            #expect(verdict.count(.notStored) > 0 && verdict.lost > 0)
        }
    }

    /// Ends a run and looks at everything that was said and stored: it must be green.
    private func closing(
        _ run: LoadRun,
        _ redis: RedisProcess,
        _ ports: [Int]
    ) async throws -> (ledger: LedgerSnapshot, audit: AuditReport, verdict: Verdict) {
        let ledger = try await run.finish()
        let audit = try await Audit(redisPort: redis.port, ports: ports).run(ledger)
        try await run.stop()
        let verdict = Verdict(seed: 1, command: "none", ledger: ledger, audit: audit)
        let isGreen = verdict.isGreen
        #expect(isGreen, "\(verdict.text)")
        return (ledger, audit, verdict)
    }

    private func posts(_ count: Int, of run: LoadRun) async throws {
        try await wait(until: "\(count) posts were sent", within: .seconds(30)) {
            try await run.call { _, ledger in ledger.counts.posts >= count }
        }
    }
}
