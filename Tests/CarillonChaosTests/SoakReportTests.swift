import CarillonChaos
import CarillonTestSupport
import Testing

@Suite struct SoakReportTests {
    private let megabyte = 1_048_576.0
    private let plan = SoakPlan(seconds: 600)

    /// A process whose memory grows by so many bytes each second.
    private func life(
        _ pod: String = "pod-1",
        from start: Int = 0,
        to end: Int = 600,
        bytesPerSecond: Double = 0
    ) -> ProcessLife {
        var life = ProcessLife(pod: pod, id: 7)
        for second in start...end {
            let bytes = Int(30 * megabyte + bytesPerSecond * Double(second))
            life.samples.append((Double(second), ProcessStatus(residentBytes: bytes, threads: 6, descriptors: 30)))
        }
        return life
    }

    private func rest(
        _ keys: [String] = [],
        redisBytes: Int = 2_000_000,
        boundedBytes: Int = 0,
        descriptors: Int = 20,
        threads: Int = 6
    ) -> SoakReport.Rest {
        var rest = SoakReport.Rest()
        for key in keys { rest.keys.add(key) }
        rest.redisBytes = redisBytes
        rest.boundedBytes = boundedBytes
        rest.pods["pod-1"] = ProcessStatus(residentBytes: 1, threads: threads, descriptors: descriptors)
        return rest
    }

    private func report(
        _ lives: [ProcessLife]? = nil,
        events: [Chart.Mark] = [],
        before: SoakReport.Rest? = nil,
        left: SoakReport.Rest? = nil,
        after: SoakReport.Rest? = nil
    ) -> SoakReport {
        var record = SoakRecord()
        record.lives = lives ?? [life()]
        record.deliveries = 60_000
        return SoakReport(
            plan: plan,
            record: record,
            load: 0...600,
            events: events,
            visits: 1,
            before: before ?? rest(),
            left: left ?? rest(),
            after: after ?? rest()
        )
    }

    @Test func whatIsAsItWasIsGreen() {
        let report = report()
        #expect(report.isGreen, "\(report.text)")
        #expect(report.text.hasPrefix("soak: green\n60000 deliveries"))
    }

    /// The steady part of ten minutes begins behind the first four.
    @Test func growthAtAndOverTheBound() throws {
        let bound = SoakPlan.noiseBytes / 360
        #expect(report([life(bytesPerSecond: bound - 10)]).isGreen)
        let leaky = report([life(bytesPerSecond: bound + 10)])
        #expect(!leaky.isGreen && leaky.text.hasPrefix("soak: RED"))
        #expect(leaky.faults.count == 1 && leaky.faults[0].contains("pod-1 (process 7) grows by"))
        let slope = try #require(leaky.growths[0].slope)
        #expect(slope.length == 360)
    }

    @Test func warmingUpIsNoGrowth() {
        var life = life()
        for index in 0..<240 {
            let bytes = Int(megabyte * Double(index) / 10)
            life.samples[index].status = ProcessStatus(residentBytes: bytes, threads: 6, descriptors: 30)
        }
        #expect(report([life]).isGreen)
    }

    /// A peak at a fault leaves the memory higher, and that is all.
    @Test func aLeapAtAFaultIsNoGrowth() {
        var life = life()
        for index in 403..<601 {
            let status = life.samples[index].status
            life.samples[index].status = ProcessStatus(
                residentBytes: status.residentBytes * 2,
                threads: 6,
                descriptors: 30
            )
        }
        #expect(report([life], events: [.init("devices-dropped", begin: 400, end: 400)]).isGreen)
        #expect(!report([life]).isGreen)
        #expect(!report([life], events: [.init("link-cut", begin: 300, end: 310)]).isGreen)
    }

    /// A process counts when it was there for a fifth of the run, behind a warm-up of its own.
    @Test func youngProcessesAreNotJudged() {
        let fast = SoakPlan.noiseBytes
        #expect(report([life(), life("pod-2", from: 241, bytesPerSecond: fast)]).isGreen)
        #expect(!report([life(), life("pod-2", from: 239, bytesPerSecond: fast)]).isGreen)
    }

    @Test func aRunWithoutAnyLongLifeIsRed() {
        let report = report([life(to: 300), life(from: 300)])
        #expect(report.faults == ["no process lived long enough to tell its growth"])
    }

    @Test(arguments: [0, 1]) func memoryOfRedis(beyond: Int) {
        let after = rest(redisBytes: 2_000_000 + SoakPlan.redisNoiseBytes + beyond)
        #expect(report(after: after).isGreen == (beyond == 0))
    }

    @Test func whatHasABoundOfItsOwnIsNoGrowth() {
        #expect(report(after: rest(redisBytes: 9_000_000, boundedBytes: 7_000_000)).isGreen)
    }

    @Test(arguments: [0, 1]) func descriptorsAndThreads(beyond: Int) {
        let open = report(after: rest(descriptors: 20 + SoakPlan.descriptorNoise + beyond))
        #expect(open.isGreen == (beyond == 0))
        let busy = report(after: rest(threads: 6 + SoakPlan.threadNoise + beyond))
        #expect(busy.isGreen == (beyond == 0))
    }

    @Test func keysThatStayAreNamed() {
        let pods = ["notif:pods:hb", "notif:pod:pod-1", "notif:bus:pod-1"]
        let before = rest(pods)
        #expect(report(before: before, after: rest(pods)).isGreen)
        #expect(report(before: before, after: rest([])).isGreen)
        let more = pods + ["notif:bus:pod-2", "notif:idem:a", "notif:idem:b", "strange:key:1", "alone"]
        #expect(
            report(before: before, after: rest(more)).faults == [
                "1 keys alone instead of 0", "2 keys notif:bus: instead of 1", "2 keys notif:idem: instead of 0",
                "1 keys strange:key: instead of 0",
            ]
        )
    }

    /// Presence, locks and lists of connections go when devices do, not when time passes.
    @Test func connectionsThatStayAreNamed() {
        let left = rest(["notif:conn:1-a", "notif:clients:pod-1", "notif:idem:a"])
        #expect(
            report(left: left).faults == [
                "1 keys notif:clients: when all had left", "1 keys notif:conn: when all had left",
            ]
        )
    }

    @Test func keysWithAReasonMayStay() {
        let after = rest(["notif:users:recent", "notif:sweeper", "notif:sweep:cursor"])
        #expect(report(after: after).isGreen)
        #expect(report(after: after).text.contains("the 100,000 users that were notified last"))
    }

    @Test func keysAreOfTheLongestKindThatFits() {
        var census = KeyCensus()
        for key in [
            "notif:topics:1-a", "notif:topic:", "notif:pods:hb", "notif:pod:a", "notification:1",
            "notification_state:1-a",
        ] {
            census.add(key)
        }
        #expect(census.counts.count == 6 && census.total == 6)
    }

    /// Payloads end within the run, and what is posted last outlives it.
    @Test(arguments: [(10.0, 5, 0.0), (50, 5, 30), (100, 10, 75), (600, 60, 525), (3_600, 60, 3_525)])
    func livesOfPayloads(seconds: Double, life: Int, lastingFrom: Double) {
        let plan = SoakPlan(seconds: seconds)
        #expect(plan.payloadSeconds == life && plan.lastingFrom == lastingFrom)
    }
}
