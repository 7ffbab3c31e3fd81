package import CarillonLoad
internal import NIOCore

/// Times apart by whether a fault ran.
package struct Latencies: Sendable {
    package private(set) var quiet = LatencyHistogram()
    package private(set) var troubled = LatencyHistogram()
    private var recent = LatencyHistogram()

    mutating func record(_ time: TimeAmount, isTroubled: Bool) {
        if isTroubled { troubled.record(time) } else { quiet.record(time) }
        recent.record(time)
    }

    /// All times since this was last asked.
    package mutating func takeRecent() -> LatencyHistogram {
        defer { recent = LatencyHistogram() }
        return recent
    }
}
