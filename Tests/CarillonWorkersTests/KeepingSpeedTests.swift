import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import Foundation
import Testing

@testable import CarillonStore
@testable import CarillonWorkers

/// How many users a pod keeps per second, printed and not judged: `CARILLON_SPEED_USERS=10000 swift test --filter KeepingSpeed`.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["CARILLON_SPEED_USERS"] != nil))
struct KeepingSpeedTests {
    @Test(arguments: [1, 8, 32, 128])
    func usersPerSecond(atOnce: Int) async throws {
        let count = ProcessInfo.processInfo.environment["CARILLON_SPEED_USERS"].flatMap { Int($0) } ?? 10_000
        try await WorkerLink.with { link in
            for start in stride(from: 0, to: count, by: 1_000) {
                try await link.makeExpired(start..<min(start + 1_000, count))
            }
            let started = ContinuousClock.now
            let removed = try await link.rounds(atOnce: atOnce).round()
            let seconds = (ContinuousClock.now - started) / .seconds(1)
            #expect(removed == count)
            let calls = try await WireRedis(port: link.process.port).calls()
            print("\(atOnce) at once: \(Int(Double(count) / seconds)) users/s, EXISTS \(calls["exists"] ?? 0)")
        }
    }
}

extension WorkerLink {
    /// Makes users due who have read an entry whose payload has expired.
    fileprivate func makeExpired(_ numbers: Range<Int>) async throws {
        let users = numbers.map { User(id: .number(Int64($0)), login: "u").key }
        var commands: [RedisCommand] = []
        for user in users {
            commands.append(RedisCommand("XADD", .key(Keys.stream(user)), "*", "nid", "expired"))
            commands.append(RedisCommand("HSET", .key(Keys.state(user)), "expired", "read"))
        }
        commands.append(RedisCommand("SADD", [.key(try await queue())] + users.map { .text($0.text) }))
        _ = try await client.replies(commands)
    }
}
