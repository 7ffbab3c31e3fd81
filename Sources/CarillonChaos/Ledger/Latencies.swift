package import CarillonLoad
internal import NIOCore

/// Times apart by whether a fault ran.
package struct Latencies: Sendable {
    package private(set) var quiet = LatencyHistogram()
    package private(set) var troubled = LatencyHistogram()

    mutating func record(_ time: TimeAmount, isTroubled: Bool) {
        if isTroubled { troubled.record(time) } else { quiet.record(time) }
    }
}
