import CarillonTestSupport
import Foundation
import NIOCore
import NIOPosix

/// One run: a world, the load on it, the schedule of its faults, and what it all comes to.
///
/// Ledger and fleet live on one event loop, the proxies on another.
package final class ChaosRun: Sendable {
    private let options: ChaosOptions
    private let say: @Sendable (String) -> Void
    private let loadLoop: any EventLoop
    private let proxyLoop: any EventLoop
    private let started = ContinuousClock.now

    /// Undisturbed load before the first fault and after the last one.
    private static let quiet = Duration.seconds(3)

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
        let load = try await loadLoop.submit { [loadLoop] in
            NIOLoopBound(Load(), eventLoop: loadLoop)
        }.get()
        let world = try await World.start(options.worldPlan, hooks: hooks(load), on: proxyLoop)
        do {
            let isGreen = try await run(world, load)
            await world.stop()
            return isGreen
        } catch {
            await world.stop()
            throw error
        }
    }

    private func run(_ world: World, _ load: NIOLoopBound<Load>) async throws -> Bool {
        let ports = await world.ports
        try await onLoadLoop { [options, loadLoop] in
            load.value.start(options, ports: ports, on: loadLoop)
        }
        try await Task.sleep(for: Self.quiet)
        for step in options.schedule.steps {
            try await Task.sleep(for: step.pause)
            try await perform(step, in: world, load)
        }
        try await Task.sleep(for: Self.quiet)
        try await onLoadLoop { load.value.fleet?.stopPosting() }
        try await Task.sleep(for: Self.quiet)
        try await onLoadLoop { load.value.fleet?.stop() }
        return await world.findings.isEmpty
    }

    // MARK: - Faults

    private func perform(_ step: Schedule.Step, in world: World, _ load: NIOLoopBound<Load>) async throws {
        guard let overlap = step.overlap else { return try await inject(step.fault, into: world, load) }
        async let other: Void = {
            try await Task.sleep(for: overlap.after)
            try await inject(overlap.fault, into: world, load)
        }()
        try await inject(step.fault, into: world, load)
        try await other
    }

    private func inject(_ fault: any Fault, into world: World, _ load: NIOLoopBound<Load>) async throws {
        let record = fault.record
        let begun = ContinuousClock.now
        progress("\(record.name): \(record.detail)")
        let number = try await onLoadLoop { load.value.ledger.faultBegan(record) }
        do {
            try await fault.inject(world)
        } catch let error as BrokenPromise {
            await world.note("\(record.name): \(error)")
            try await world.mend()
        }
        try await onLoadLoop { load.value.ledger.faultEnded(number) }
        progress("\(record.name): healed after \((ContinuousClock.now - begun).inSeconds)")
    }

    // MARK: - The load's loop

    private func hooks(_ load: NIOLoopBound<Load>) -> WorldHooks {
        WorldHooks(
            portsChanged: { [loadLoop] ports in
                try? await loadLoop.submit { load.value.fleet?.changePorts(ports) }.get()
            },
            dropAllDevices: {},
            say: { [weak self] in self?.progress($0) }
        )
    }

    private func onLoadLoop<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await loadLoop.submit(work).get()
    }

    private func progress(_ text: String) {
        guard !options.isQuiet else { return }
        let time = (ContinuousClock.now - started).inSeconds
        say("[\(String(repeating: " ", count: max(0, 8 - time.count)))\(time)] \(text)")
    }
}

/// - Isolation: the event loop
private final class Load {
    let ledger = Ledger()
    private(set) var fleet: Fleet?

    func start(_ options: ChaosOptions, ports: [Int], on eventLoop: any EventLoop) {
        let plan = FleetPlan(
            users: options.users,
            devicesPerUser: options.devicesPerUser,
            postsPerSecond: options.postsPerSecond,
            posters: 8,
            keyedShare: options.keyedShare,
            racedShare: options.racedShare,
            manyTargetsShare: 0.1,
            readShare: options.readShare,
            moveEvery: .seconds(1),
            fullReplayShare: 0.2
        )
        let fleet = Fleet(eventLoop: eventLoop, plan: plan, ports: ports, ledger: ledger, seed: options.seed)
        fleet.start()
        self.fleet = fleet
    }
}

@available(*, unavailable)
extension Load: Sendable {}
