import CarillonTestSupport
import Foundation
import Testing

@testable import CarillonChaos

@Suite struct FakeClockTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "carillon-\(UUID().uuidString)")

    /// The seconds that a program prints at once, and after the clock has jumped by a day while it ran.
    private func seconds(_ clock: FakeClock, jump: Int) async throws -> [Int] {
        let program = try ChildProcess(
            "/bin/sh",
            ["-c", "date +%s; read -r _ < '\(folder.path)/go'; date +%s"],
            environment: clock.environment
        )
        try await wait(until: "the first time is printed") { program.standardOutput.contains("\n") }
        try clock.jump(bySeconds: jump)
        try Data("go\n".utf8).write(to: folder.appending(path: "go"))
        _ = try await program.exit()
        return program.standardOutput.split(separator: "\n").compactMap { Int($0) }
    }

    @Test(arguments: [86_400, -20 * 86_400]) func movesTheWallClock(jump: Int) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(mkfifo(folder.appending(path: "go").path, 0o600) == 0)
        let clock = try FakeClock(file: folder.appending(path: "clock").path)
        let times = try await seconds(clock, jump: jump)
        let now = Int(Date.now.timeIntervalSince1970)
        #expect(times.count == 2)
        #expect(abs((times.first ?? 0) - now) < 20)
        #expect(abs((times.last ?? 0) - now - jump) < 20)
    }

    /// Timers count on while the clock jumps: a pod's heartbeat stopped for good under a clock that moved them as well.
    @Test func leavesTimersAlone() async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let redis = try await RedisProcess.start()
        let clock = try FakeClock(file: folder.appending(path: "clock").path)
        let server = try await ServerProcess.start(redisPort: redis.port, environment: clock.environment)
        let commands = try WireRedis(port: redis.port)
        func heartbeat() async throws -> Int {
            try await commands(["HGET", "notif:pods:hb", server.podID]).string.flatMap { Int($0) } ?? 0
        }
        let before = try await heartbeat()
        try clock.jump(bySeconds: -20 * 86_400)
        try await wait(until: "the heartbeat has jumped") { try await heartbeat() < before - 86_400 }
        let jumped = try await heartbeat()
        try await wait(until: "the heartbeat goes on") { try await heartbeat() >= jumped + 2 }
        server.kill()
        await redis.stop()
    }
}
