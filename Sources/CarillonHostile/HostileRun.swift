internal import CarillonTestSupport
internal import Foundation
internal import NIOCore
internal import NIOPosix

/// Which attacks are made, and on what.
package struct HostileOptions: Sendable {
    package var attacks = Attack.all
    /// Notifications per second for the users who do nothing wrong.
    package var goodPerSecond = 500.0
    /// Settings of the pod.
    package var settings: [String: String] = [:]

    package init() {}
}

/// Makes one attack after the other on a pod of its own, while good users are served by it.
package struct HostileRun: Sendable {
    private let options: HostileOptions
    private let say: @Sendable (String) -> Void

    /// How long it is quiet before an attack and behind it.
    private static let calm = Duration.seconds(4)
    /// Time in which what was missing may come, and in which what was taken is given back.
    private static let patience = Duration.seconds(20)
    /// What the allocator may keep.
    static let memorySlack = 32 << 20

    /// - Parameter say: Prints a line of progress.
    package init(_ options: HostileOptions, say: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.say = say
    }

    /// - Throws: where attacks cannot be made at all.
    package func run() async throws -> [AttackRow] {
        OpenFiles.raiseLimit()
        let redis = try await RedisProcess.start(["--maxclients", "1000"])
        let environment = ["LOG_LEVEL": "error", "WEB_DIR": "web"].merging(options.settings) { $1 }
        let server = try await ServerProcess.start(redisPort: redis.port, podID: "attacked", environment: environment)
        defer { server.kill() }
        do {
            let rows = try await attack(Target(server: server, redis: redis))
            await redis.stop()
            return rows
        } catch {
            await redis.stop()
            throw error
        }
    }

    private func attack(_ target: Target) async throws -> [AttackRow] {
        let goodLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).any()
        let attackLoop = try await AttackForce.makeGroup().any()
        let (port, rate) = (target.server.port, options.goodPerSecond)
        let good = try await goodLoop.submit {
            let good = GoodUsers(port: port, perSecond: rate, eventLoop: goodLoop)
            good.start()
            return NIOLoopBound(good, eventLoop: goodLoop)
        }.get()
        try await wait(until: "the good users are connected") {
            try await goodLoop.submit { good.value.liveDevices == GoodUsers.userCount }.get()
        }
        let stage = Stage(target: target, goodLoop: goodLoop, good: good, attackLoop: attackLoop)
        try await Task.sleep(for: Self.calm)
        var rows: [AttackRow] = []
        var calm = try await stage.calm()
        for attack in options.attacks {
            say("\(attack.name): \(attack.summary)")
            var row = try await make(attack, on: stage)
            let isAlive = target.server.process.exitStatus == nil
            // Quiet times on both sides: what else the machine does changes within minutes.
            let after = isAlive ? try await stage.calm() : GoodWindow()
            row.calm = calm
            row.calm.add(after)
            calm = after
            say("    \(AttackTable.line(row))")
            rows.append(row)
            guard isAlive else { break }
        }
        try await goodLoop.submit { good.value.stop() }.get()
        return rows
    }

    private struct Stage: Sendable {
        let target: Target
        let goodLoop: any EventLoop
        let good: NIOLoopBound<GoodUsers>
        let attackLoop: any EventLoop

        func onGood<Value: Sendable>(_ body: @escaping @Sendable (GoodUsers) -> Value) async throws -> Value {
            try await goodLoop.submit { [good] in body(good.value) }.get()
        }

        /// What good users see while nobody attacks.
        func calm() async throws -> GoodWindow { try await window { try await Task.sleep(for: HostileRun.calm) } }

        /// What they saw while `body` ran.
        func window(during body: () async throws -> Void) async throws -> GoodWindow {
            try await onGood { $0.beginWindow() }
            try await body()
            try await onGood { $0.endWindow() }
            try? await wait(until: "all pushes have come", within: HostileRun.patience) {
                try await onGood { $0.measured } != nil
            }
            return try await onGood { $0.unfinished }
        }
    }

    private func make(_ attack: Attack, on stage: Stage) async throws -> AttackRow {
        let target = stage.target
        let before = target.status
        var row = AttackRow(name: attack.name, summary: attack.summary, before: before)
        try await attack.prepare(target)
        let (loop, port) = (stage.attackLoop, target.server.port)
        let force = try await loop.submit {
            NIOLoopBound(try AttackForce(attack, port: port, eventLoop: loop), eventLoop: loop)
        }.get()
        let beside = attack.beside.map { body in Task { try? await body(target) } }
        row.attacked = try await stage.window {
            try await loop.submit { force.value.start() }.get()
            let end = ContinuousClock.now + .seconds(attack.seconds)
            while ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(100))
                row.note(target.status)
            }
        }
        if !attack.allowed.contains("open") {
            // What is under way when the attack ends is owed its answer, too.
            try await loop.submit { force.value.pause() }.get()
            try? await wait(until: "the last answers", within: Self.patience) {
                try await loop.submit { force.value.isSettled }.get()
            }
        }
        row.result = try await loop.submit { force.value.stop() }.get()
        row.note(target.status)
        beside?.cancel()
        await beside?.value
        try? await wait(until: "what was taken is given back", within: Self.patience) {
            let now = target.status
            return now.descriptors <= before.descriptors && now.residentBytes <= before.residentBytes + Self.memorySlack
        }
        row.after(target.status)
        row.faults = try await faults(of: row, attack, target)
        return row
    }

    private func faults(of row: AttackRow, _ attack: Attack, _ target: Target) async throws -> [String] {
        guard target.server.process.exitStatus == nil else {
            return ["the server ended: \(target.server.output.suffix(500))"]
        }
        var faults: [String] = []
        let seen = Set(row.result.outcomes.keys)
        let strange = seen.subtracting(attack.allowed).sorted()
        if !strange.isEmpty { faults.append("answered with \(strange.joined(separator: ", "))") }
        let missing = attack.required.subtracting(seen).sorted()
        if !missing.isEmpty { faults.append("never answered with \(missing.joined(separator: ", "))") }
        if let fault = row.attacked.fault { faults.append(fault) }
        if row.descriptors.after > row.descriptors.before { faults.append("descriptors stay open") }
        if row.memory.after > row.memory.before + Self.memorySlack { faults.append("memory is not given back") }
        if let fault = try await attack.fault(target) { faults.append(fault) }
        return faults
    }
}
