internal import CarillonTestSupport
import Foundation
internal import Glibc

/// What hub, Redis and load have used up to a moment.
struct Usage: Sendable {
    let at: ContinuousClock.Instant
    let hubNanoseconds: UInt64
    /// Of each server.
    let redisNanoseconds: [UInt64]
    let loadNanoseconds: UInt64
    let machineNanoseconds: UInt64
    let hubBytes: Int
    let redisCalls: [String: Int]

    static func read(_ hub: any Hub) async throws -> Usage {
        let processes = await hub.processes()
        let redis = await hub.redis()
        var redisCalls: [String: Int] = [:]
        for server in redis {
            redisCalls.merge(try await WireRedis(port: server.port).calls(), uniquingKeysWith: +)
        }
        return Usage(
            at: .now,
            hubNanoseconds: processes?.cpuNanoseconds ?? 0,
            redisNanoseconds: redis.map { ProcessMeter(pids: [$0.pid]).cpuNanoseconds },
            loadNanoseconds: ProcessMeter(pids: [getpid()]).cpuNanoseconds,
            machineNanoseconds: machineNanoseconds,
            hubBytes: processes?.residentBytes ?? 0,
            redisCalls: redisCalls
        )
    }

    /// Time that all CPUs of the machine were busy.
    ///
    /// - Source: proc(5), `/proc/stat`: user, nice, system, idle, iowait, irq, softirq in ticks of 10 ms
    private static var machineNanoseconds: UInt64 {
        let line = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8))?.split(separator: "\n").first ?? ""
        let ticks = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
        guard ticks.count >= 7 else { return 0 }
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) * 10_000_000
    }
}

/// What was used between two moments.
struct UsageDifference: Sendable {
    let seconds: Double
    let hubSeconds: Double
    /// Of each server of Redis.
    let redisSecondsEach: [Double]
    var redisSeconds: Double { redisSecondsEach.reduce(0, +) }
    let loadSeconds: Double
    /// CPUs that something else kept busy: above 0.15 a measurement was disturbed.
    let otherCores: Double
    let hubBytes: Int
    let redisCalls: [String: Int]

    init(from first: Usage, to last: Usage) {
        func difference(_ value: KeyPath<Usage, UInt64>) -> Double {
            Double(last[keyPath: value]) - Double(first[keyPath: value])
        }
        let elapsed = (last.at - first.at).seconds
        seconds = elapsed
        hubSeconds = difference(\.hubNanoseconds) / 1e9
        redisSecondsEach = zip(first.redisNanoseconds, last.redisNanoseconds).map { Double($1 - $0) / 1e9 }
        loadSeconds = difference(\.loadNanoseconds) / 1e9
        let known = hubSeconds + redisSecondsEach.reduce(0, +) + loadSeconds
        otherCores = max(0, difference(\.machineNanoseconds) / 1e9 - known) / elapsed
        hubBytes = last.hubBytes - first.hubBytes
        redisCalls = last.redisCalls.reduce(into: [:]) { calls, new in
            let count = new.value - (first.redisCalls[new.key] ?? 0)
            // What the meter itself asks is no cost of the hub's.
            if count > 0, new.key != "info" { calls[new.key] = count }
        }
    }

    var redisCommands: Int { redisCalls.values.reduce(0, +) }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
