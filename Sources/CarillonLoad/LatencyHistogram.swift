package import NIOCore

/// Counts times in buckets that are each a 64th of their power of two wide, from a microsecond up.
package struct LatencyHistogram: Sendable {
    private static let steps = 64

    private var buckets: [Int] = []
    package private(set) var count = 0
    /// The longest time, exactly.
    package private(set) var max = TimeAmount.zero

    package init() {}

    package mutating func record(_ time: TimeAmount) {
        count += 1
        max = Swift.max(max, time)
        let index = Self.index(UInt64(Swift.max(0, time.nanoseconds)) / 1_000)
        if index >= buckets.count { buckets += [Int](repeating: 0, count: index + 1 - buckets.count) }
        buckets[index] += 1
    }

    /// Counts what another one has counted.
    package mutating func add(_ other: LatencyHistogram) {
        count += other.count
        max = Swift.max(max, other.max)
        if other.buckets.count > buckets.count {
            buckets += [Int](repeating: 0, count: other.buckets.count - buckets.count)
        }
        for (index, bucket) in other.buckets.enumerated() { buckets[index] += bucket }
    }

    /// The time that `share` (0 to 1) of all were not longer than, at most a 64th too long; zero where there is none.
    package func percentile(_ share: Double) -> TimeAmount {
        var rest = Int((Double(count) * share).rounded(.up))
        for (index, bucket) in buckets.enumerated() {
            rest -= bucket
            if rest <= 0, bucket > 0 {
                return Swift.min(max, .microseconds(Int64(clamping: Self.upperBound(index))))
            }
        }
        return max
    }

    private static func index(_ value: UInt64) -> Int {
        guard value >= steps else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount - 6
        return (exponent + 1) * steps + Int((value >> UInt64(exponent)) & 63)
    }

    private static func upperBound(_ index: Int) -> UInt64 {
        guard index >= steps else { return UInt64(index) }
        let exponent = UInt64(index / steps - 1)
        return (UInt64(steps + index % steps) + 1) << exponent
    }
}
