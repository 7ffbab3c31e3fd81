import CarillonTestSupport
import Foundation
import NIOCore

/// A soak: long load with few faults, and then a look at whether everything goes back to what it was.
extension ChaosRun {
    /// - Returns: whether all promises were kept, and nothing grew or stayed.
    func soak(_ plan: SoakPlan, _ world: World, _ load: NIOLoopBound<ChaosLoad>) async throws -> Bool {
        let zero = ContinuousClock.now
        func now() -> Double { (ContinuousClock.now - zero) / .seconds(1) }
        let watch = SoakWatch(world, begin: zero) { [weak self] in try? await self?.reading(load) }
        await watch.start()
        try await Task.sleep(for: SoakPlan.idle)
        let before = try await rest(world)
        try await start(load, in: world)
        let begin = now()
        let visits = try await bear(plan, world, load)
        let end = now()
        let (ledger, audit) = try await self.end(load, in: world)
        progress("all leave")
        let leaving = now()
        let left = try await atRest(world) { SoakReport.podDifferences(before, $0) + SoakReport.connections($0) }
        let passing = now()
        progress("\(SoakPlan.days) days pass")
        for day in 1...SoakPlan.days {
            try await world.setClocks(bySeconds: day * 86_400)
            try await Task.sleep(for: SoakPlan.dayLength)
        }
        let after = try await atRest(world) { SoakReport.differences(before, $0) }
        await watch.stop()
        let verdict = await verdict(ledger, audit, world)
        let report = SoakReport(
            plan: plan,
            record: await watch.record,
            load: begin...end,
            events: marks(since: zero),
            phases: [("the load ends", end), ("all leave", leaving), ("\(SoakPlan.days) days pass", passing)],
            visits: visits,
            before: before,
            left: left,
            after: after
        )
        say(verdict.text)
        say(report.text)
        if let folder = plan.folder { try write(report, to: folder) }
        return verdict.isGreen && report.isGreen
    }

    /// The load with its faults. - Returns: visits of guests.
    private func bear(_ plan: SoakPlan, _ world: World, _ load: NIOLoopBound<ChaosLoad>) async throws -> Int {
        let end = ContinuousClock.now + .seconds(plan.seconds)
        let guests = Task { await self.guests(world, load).run() }
        defer { guests.cancel() }
        let lasting = Task { [self] in
            try await Task.sleep(for: .seconds(plan.lastingFrom))
            try await onLoadLoop { load.value.fleet?.changePayloadLife(seconds: SoakPlan.lastingSeconds) }
        }
        defer { lasting.cancel() }
        for step in options.schedule.steps {
            guard ContinuousClock.now + step.pause + .seconds(SoakPlan.faultReserve) < end else { break }
            try await Task.sleep(for: step.pause)
            try await perform(step, in: world, load)
        }
        try await Task.sleep(until: end, clock: .continuous)
        guests.cancel()
        return await guests.value
    }

    private func guests(_ world: World, _ load: NIOLoopBound<ChaosLoad>) -> Guests {
        Guests(
            ports: { await world.ports },
            complain: { [self] begin, text in
                let past = TimeAmount(ContinuousClock.now - begin)
                let isTroubled = try? await onLoadLoop {
                    load.value.ledger.faults.touches(from: .now() - past, to: .now())
                }
                if isTroubled == false { await world.note(.badAnswer, "guest: \(text)") }
            }
        )
    }

    private func reading(_ load: NIOLoopBound<ChaosLoad>) async throws -> LoadReading? {
        try await onLoadLoop {
            guard load.value.fleet != nil else { return nil }
            let ledger = load.value.ledger
            return LoadReading(
                posts: ledger.counts.posts,
                deliveries: ledger.counts.delivered,
                latency: ledger.deliveries.takeRecent()
            )
        }
    }

    // MARK: - Rest

    /// What pods and Redis are once nothing differs any more, or patience has ended.
    private func atRest(
        _ world: World,
        _ differences: (SoakReport.Rest) -> [String]
    ) async throws -> SoakReport.Rest {
        let deadline = ContinuousClock.now + SoakPlan.patience
        var rest = try await rest(world)
        while !differences(rest).isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(500))
            rest = try await self.rest(world)
        }
        return rest
    }

    private func rest(_ world: World) async throws -> SoakReport.Rest {
        let meter = try RedisMeter(port: world.redis.port)
        var rest = SoakReport.Rest()
        let processes = await world.processes
        rest.keys = try await meter.census()
        rest.redisBytes = try await meter.sample(second: 0).usedBytes
        rest.boundedBytes = try await meter.boundedBytes(pods: processes.map(\.pod))
        for (pod, id) in processes { rest.pods[pod] = ProcessStatus(pid: id) }
        return rest
    }

    private func write(_ report: SoakReport, to folder: String) throws {
        let place = URL(filePath: folder)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let subtitle = [
            "\(options.pods) pods, \(options.users) users, \(Int(options.postsPerSecond)) posts per second, seed \(options.seed).",
            "Grey: faults. Dotted: the load ends, all leave, \(SoakPlan.days) days pass. Point at one for its name.",
        ].joined(separator: " ")
        let chart = report.chart(title: "Soak: load with faults", subtitle: subtitle)
        try Data(chart.svg.utf8).write(to: place.appending(path: "soak.svg"))
        try Data(report.samples.utf8).write(to: place.appending(path: "samples.csv"))
        say("chart and samples: \(place.path)")
    }
}
