import CarillonTestSupport
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// One run: a world, the load on it, the schedule of its faults, and what it all comes to.
///
/// Ledger and fleet live on one event loop, the proxies on another.
package final class ChaosRun: Sendable {
    let options: ChaosOptions
    let say: @Sendable (String) -> Void
    private let loadLoop: any EventLoop
    private let proxyLoop: any EventLoop
    private let started = ContinuousClock.now
    /// What happened when.
    private let events = Mutex<[(record: FaultRecord, began: ContinuousClock.Instant, ended: ContinuousClock.Instant)]>(
        [])

    /// Undisturbed load before the first fault.
    private static let quiet = Duration.seconds(3)
    /// Load after the last fault.
    private static let recovery = Duration.seconds(6)
    /// Time in which everything must come to rest after the last post.
    private static let patience = Duration.seconds(30)

    /// - Parameter say: Prints a line.
    package init(_ options: ChaosOptions, say: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.say = say
        let group = MultiThreadedEventLoopGroup.singleton
        loadLoop = group.next()
        proxyLoop = group.next()
    }

    /// - Returns: whether all promises were kept.
    /// - Throws: where the harness itself could not work.
    package func run() async throws -> Bool {
        progress(
            "seed \(options.seed), \(options.pods) pods, \(options.users) users, \(options.postsPerSecond) posts/s"
        )
        let load = try await onLoadLoop { [loadLoop, options] in
            NIOLoopBound(ChaosLoad(options), eventLoop: loadLoop)
        }
        let world = try await World.start(options.worldPlan, hooks: hooks(load), on: proxyLoop)
        do {
            let isGreen: Bool
            if let plan = options.soak {
                isGreen = try await soak(plan, world, load)
            } else {
                let verdict = try await run(world, load)
                say(verdict.text)
                isGreen = verdict.isGreen
            }
            await world.stop()
            if options.logFolder == nil, isGreen {
                try? FileManager.default.removeItem(atPath: world.plan.logFolder)
            } else {
                say("logs of the pods: \(world.plan.logFolder)")
            }
            return isGreen
        } catch {
            try? await onLoadLoop { load.value.fleet?.stop() }
            await world.stop()
            throw error
        }
    }

    private func run(_ world: World, _ load: NIOLoopBound<ChaosLoad>) async throws -> Verdict {
        try await start(load, in: world)
        try await Task.sleep(for: Self.quiet)
        for step in options.schedule.steps {
            try await Task.sleep(for: step.pause)
            try await perform(step, in: world, load)
        }
        // As long as a fault may have consequences, there is load to show them.
        try await Task.sleep(for: Self.recovery)
        let (ledger, report) = try await end(load, in: world)
        return await verdict(ledger, report, world)
    }

    /// The load begins; returns when all devices are live.
    func start(_ load: NIOLoopBound<ChaosLoad>, in world: World) async throws {
        let ports = await world.ports
        try await onLoadLoop { [loadLoop] in load.value.start(ports: ports, on: loadLoop) }
        try await wait(until: "all devices are live", within: .seconds(30)) {
            try await onLoadLoop { load.value.fleet.map { $0.liveDevices == $0.deviceCount } ?? false }
        }
        progress("all devices are live")
    }

    /// Lets everything come to rest, looks at what there is, and ends the load.
    func end(_ load: NIOLoopBound<ChaosLoad>, in world: World) async throws -> (LedgerSnapshot, AuditReport) {
        progress("posting ends")
        try await onLoadLoop { load.value.fleet?.stopPosting() }
        // What does not settle is told by the ledger.
        try? await wait(until: "everything settles", within: Self.patience) {
            try await onLoadLoop { load.value.fleet?.isSettled ?? true }
        }
        let snapshot = try await onLoadLoop { load.value.ledger.snapshot() }
        progress("looking at Redis")
        let audit = Audit(redisPort: world.redis.port, ports: await world.ports, seed: options.seed)
        let report = try await audit.run(snapshot)
        try await onLoadLoop { load.value.fleet?.stop() }
        return (snapshot, report)
    }

    func verdict(_ ledger: LedgerSnapshot, _ report: AuditReport, _ world: World) async -> Verdict {
        Verdict(
            seed: options.seed,
            command: options.command,
            ledger: ledger,
            audit: report,
            world: await world.findings
        )
    }

    // MARK: - Faults

    func perform(_ step: Schedule.Step, in world: World, _ load: NIOLoopBound<ChaosLoad>) async throws {
        guard let overlap = step.overlap else { return try await inject(step.fault, into: world, load) }
        async let other: Void = {
            try await Task.sleep(for: overlap.after)
            try await inject(overlap.fault, into: world, load)
        }()
        try await inject(step.fault, into: world, load)
        try await other
    }

    private func inject(_ fault: any Fault, into world: World, _ load: NIOLoopBound<ChaosLoad>) async throws {
        let record = fault.record
        let begun = ContinuousClock.now
        defer { if !(fault is Calm) { events.withLock { $0.append((record, begun, .now)) } } }
        guard fault.isFault else {
            progress("\(record.name): \(record.detail)")
            return try await fault.inject(world)
        }
        progress("\(record.name): \(record.detail)")
        let number = try await onLoadLoop { load.value.ledger.faultBegan(record) }
        do {
            try await fault.inject(world)
        } catch let error as BrokenPromise {
            await world.note(.promiseBroken, "\(record.name): \(error)")
            try await world.mend()
        }
        try await onLoadLoop { load.value.ledger.faultEnded(number) }
        progress("\(record.name): healed after \((ContinuousClock.now - begun).inSeconds)")
    }

    /// All that happened so far, on an axis of time that begins at `zero`.
    func marks(since zero: ContinuousClock.Instant) -> [Chart.Mark] {
        events.withLock { events in
            events.map { event in
                let (begin, end) = ((event.began - zero) / .seconds(1), (event.ended - zero) / .seconds(1))
                let length = (event.ended - event.began).inSeconds
                let name = "\(Chart.minutes(begin)) \(event.record.name): \(event.record.detail) (\(length))"
                return Chart.Mark(name, begin: begin, end: end)
            }
        }
    }

    // MARK: - The load's loop

    private func hooks(_ load: NIOLoopBound<ChaosLoad>) -> WorldHooks {
        WorldHooks(
            portsChanged: { [loadLoop] ports in
                try? await loadLoop.submit { load.value.fleet?.changePorts(ports) }.get()
            },
            devices: { [loadLoop] act in try? await loadLoop.submit { load.value.fleet?.perform(act) }.get() },
            say: { [weak self] in self?.progress($0) }
        )
    }

    func onLoadLoop<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await loadLoop.submit(work).get()
    }

    func progress(_ text: String) {
        guard !options.isQuiet else { return }
        let time = (ContinuousClock.now - started).inSeconds
        say("[\(String(repeating: " ", count: max(0, 8 - time.count)))\(time)] \(text)")
    }
}
