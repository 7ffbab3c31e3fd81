internal import CarillonLoad
internal import NIOCore

/// What a cell measured; nil where it does not measure that, or nobody could.
package struct CellResult: Codable, Sendable {
    package let hub: String
    package let cell: String
    /// Milliseconds from the moment a message was due to its receipt.
    package struct Latency: Codable, Sendable {
        package let p50: Double
        package let p90: Double
        package let p99: Double
        package let p999: Double
        package let max: Double
    }

    package var deliveredPerSecond: Double?
    package var acceptedPerSecond: Double?
    package var lost: Int?
    package var duplicated: Int?
    package var disordered: Int?
    /// Requests that were not answered 2xx, and connections that broke.
    package var errors: Int?
    package var latency: Latency?
    /// CPU microseconds for each delivered message (in a fan-out: each delivery).
    package var hubMicroseconds: Double?
    package var redisMicroseconds: Double?
    package var loadMicroseconds: Double?
    /// CPUs that each server of Redis keeps busy.
    package var redisCores: [Double]?
    /// Redis commands for each delivered message.
    package var redisCommands: Double?
    package var redisCalls: [String: Double]?
    /// Resident bytes for each open connection.
    package var bytesPerSocket: Double?
    /// CPU microseconds of the hub for each connection made.
    package var connectMicroseconds: Double?
    /// CPUs that hub and Redis keep busy while nothing happens.
    package var idleCores: Double?
    /// Seconds until all devices were connected again, and until all had what they missed.
    package var backSeconds: Double?
    package var recoveredSeconds: Double?
    /// CPUs that something else kept busy.
    package var otherCores: Double?

    init(hub: String, cell: String) {
        self.hub = hub
        self.cell = cell
    }

    /// Whether nothing was lost, repeated, out of order or refused.
    package var isFaultless: Bool { [lost, duplicated, disordered, errors].allSatisfy { $0 ?? 0 == 0 } }
}

extension CellResult.Latency {
    init?(_ histogram: LatencyHistogram) {
        guard histogram.count > 0 else { return nil }
        func milliseconds(_ share: Double) -> Double { Double(histogram.percentile(share).nanoseconds) / 1e6 }
        self.init(
            p50: milliseconds(0.5),
            p90: milliseconds(0.9),
            p99: milliseconds(0.99),
            p999: milliseconds(0.999),
            max: Double(histogram.max.nanoseconds) / 1e6
        )
    }
}
