package import CarillonTestSupport
import Foundation
import Glibc
package import NIOCore

/// A Redis, pods around it, and between each pod and Redis a proxy: everything that faults happen to.
///
/// Pods keep their ports when they are started again. A pod that ends without having been told to is noted, its log shown, and it
/// is started again, so that the run can go on.
package actor World {
    /// Where one pod runs, whether it runs just now or not.
    private final class Place {
        let name: String
        let port: Int
        let proxy: TCPProxy
        let log: String
        let clock: FakeClock
        /// Nil while nothing runs here that is meant to.
        var server: ServerProcess?

        init(name: String, port: Int, proxy: TCPProxy, log: String, clock: FakeClock) {
            self.name = name
            self.port = port
            self.proxy = proxy
            self.log = log
            self.clock = clock
        }
    }

    package nonisolated let plan: WorldPlan
    package nonisolated let hooks: WorldHooks
    package nonisolated let redis: RedisProcess
    private let redisClock: FakeClock
    private let eventLoop: any EventLoop
    private var places: [Place] = []
    private var watcher: Task<Void, Never>?
    /// What the server did that it may not do, as seen from outside.
    package private(set) var findings = Findings()

    /// Lines of a log that are shown when its pod ends by itself.
    private static let shownLines = 40

    // MARK: - Starting and stopping

    /// Starts Redis and the pods, and returns once they serve.
    ///
    /// - Parameter eventLoop: For the proxies.
    package static func start(_ plan: WorldPlan, hooks: WorldHooks, on eventLoop: any EventLoop) async throws -> World {
        try FileManager.default.createDirectory(atPath: plan.logFolder, withIntermediateDirectories: true)
        let clock = try FakeClock(file: "\(plan.logFolder)/redis.clock")
        let redis = try await RedisProcess.start(
            WorldPlan.redisArguments,
            port: BuiltProgram.freePort(),
            environment: clock.environment
        )
        let world = World(plan, hooks: hooks, redis: redis, redisClock: clock, eventLoop: eventLoop)
        for _ in 0..<plan.pods { _ = try await world.addPod() }
        await world.watch()
        return world
    }

    private init(
        _ plan: WorldPlan,
        hooks: WorldHooks,
        redis: RedisProcess,
        redisClock: FakeClock,
        eventLoop: any EventLoop
    ) {
        self.plan = plan
        self.hooks = hooks
        self.redis = redis
        self.redisClock = redisClock
        self.eventLoop = eventLoop
    }

    package func stop() async {
        watcher?.cancel()
        for place in places {
            place.server?.kill()
            place.server = nil
            await place.proxy.stop()
        }
        await redis.stop()
    }

    /// Brings everything up that a fault left broken.
    package func mend() async throws {
        redis.resume()
        if redis.pid == 0 { try await redis.restart() }
        for index in places.indices {
            places[index].server?.process.signal(SIGCONT)
            await places[index].proxy.set(.pass)
            if places[index].server == nil { try await startPod(index) }
        }
        await hooks.portsChanged(ports)
    }

    // MARK: - Pods

    package var ports: [Int] { places.map(\.port) }

    package func name(of pod: Int) -> String { places[pod].name }

    /// The pods that run just now, and their processes.
    package var processes: [(pod: String, id: Int32)] {
        places.compactMap { place in place.server.map { (place.name, $0.process.processID) } }
    }

    /// Starts one pod more, after the others. - Returns: its index
    package func addPod() async throws -> Int {
        let name = "pod-\(places.count + 1)"
        let proxy = try await TCPProxy.start(port: BuiltProgram.freePort(), target: redis.port, on: eventLoop)
        let place = Place(
            name: name,
            port: try BuiltProgram.freePort(),
            proxy: proxy,
            log: "\(plan.logFolder)/\(name).log",
            clock: try FakeClock(file: "\(plan.logFolder)/\(name).clock")
        )
        places.append(place)
        try await startPod(places.count - 1)
        return places.count - 1
    }

    /// Stops the last pod in good order and forgets it.
    package func removeLastPod() async throws {
        try await terminatePod(places.count - 1)
        await places.removeLast().proxy.stop()
    }

    package func startPod(_ pod: Int) async throws {
        let place = places[pod]
        place.server = try await launch(place, port: place.port)
    }

    private func launch(_ place: Place, port: Int) async throws -> ServerProcess {
        let settings = WorldPlan.commonSettings.merging(plan.settings) { $1 }.merging(place.clock.environment) { $1 }
        do {
            return try await ServerProcess.start(
                redisPort: place.proxy.port,
                port: port,
                podID: place.name,
                environment: settings,
                log: place.log
            )
        } catch {
            throw BrokenPromise("\(place.name) does not start: \(error)")
        }
    }

    /// Ends the pod as a crash would.
    package func killPod(_ pod: Int) {
        take(pod)?.kill()
    }

    /// Asks the pod to stop.
    ///
    /// - Throws: `BrokenPromise` where it does not end with 0 within 15 s.
    package func terminatePod(_ pod: Int) async throws {
        guard let server = take(pod) else { return }
        let name = places[pod].name
        let status: Int32
        do {
            status = try await server.terminate(within: .seconds(15))
        } catch {
            server.kill()
            throw BrokenPromise("\(name) did not end within 15 s of SIGTERM\n\(logTail(of: pod))")
        }
        guard status == 0 else {
            throw BrokenPromise("\(name) ended with \(status) after SIGTERM\n\(logTail(of: pod))")
        }
    }

    package func signalPod(_ pod: Int, _ signal: Int32) {
        places[pod].server?.process.signal(signal)
    }

    package func setLink(of pod: Int, _ mode: TCPProxy.Mode) async {
        await places[pod].proxy.set(mode)
    }

    package func setAllLinks(_ mode: TCPProxy.Mode) async {
        for place in places { await place.proxy.set(mode) }
    }

    /// Starts another process under the pod's name on a port of its own, and waits until the older one has given way.
    ///
    /// - Throws: `BrokenPromise` where the older one stays, or does not end with 1 and the line that says why.
    package func startTwin(of pod: Int) async throws -> ServerProcess {
        let place = places[pod]
        guard let older = take(pod) else { throw BrokenPromise("\(place.name) does not run") }
        let twin = try await launch(place, port: BuiltProgram.freePort())
        do {
            let status = try await older.process.exit(within: .seconds(10))
            guard status == 1 else {
                throw BrokenPromise("\(place.name) ended with \(status) after its name was taken")
            }
        } catch let error as WireError {
            older.kill()
            throw BrokenPromise("\(place.name) did not give way to a newer process: \(error)")
        }
        guard logTail(of: pod).contains("was taken by a newer process") else {
            throw BrokenPromise("\(place.name) gave way to a newer process without saying so")
        }
        return twin
    }

    /// The pod's process, whose end is expected from now on.
    private func take(_ pod: Int) -> ServerProcess? {
        defer { places[pod].server = nil }
        return places[pod].server
    }

    /// Puts the pod's wall clock that far from the true time.
    package func setClock(of pod: Int, bySeconds seconds: Int) throws { try places[pod].clock.jump(bySeconds: seconds) }

    /// Puts the wall clocks of Redis and of all pods that far from the true time.
    package func setClocks(bySeconds seconds: Int) throws {
        try redisClock.jump(bySeconds: seconds)
        for place in places { try place.clock.jump(bySeconds: seconds) }
    }

    // MARK: - Redis

    /// Runs one command at Redis, past the proxies.
    @discardableResult
    package func command(_ words: String...) async throws -> WireReply {
        try await WireRedis(port: redis.port)(words)
    }

    // MARK: - Watching

    package func note(_ kind: Finding.Kind, _ text: String) {
        findings.add(kind, text)
        hooks.say("\(kind.rawValue): \(text)")
    }

    private func watch() {
        watcher = Task { [weak self] in
            while !Task.isCancelled {
                await self?.lookAtPods()
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func lookAtPods() async {
        for pod in places.indices {
            guard places.indices.contains(pod), let status = places[pod].server?.process.exitStatus else { continue }
            _ = take(pod)
            note(.podEnded, "\(places[pod].name) ended by itself with \(status); its last words:\n\(logTail(of: pod))")
            do { try await startPod(pod) } catch { note(.promiseBroken, "\(error)") }
        }
    }

    private func logTail(of pod: Int) -> String {
        let text = (try? String(contentsOfFile: places[pod].log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(Self.shownLines).map { "    \($0)" }.joined(separator: "\n")
    }
}
