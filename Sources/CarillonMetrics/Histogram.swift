import Synchronization

/// Counts observations in buckets whose bounds are fixed when it is made.
///
/// - Isolation: any thread
/// - Cost: a scan of the bounds, one atomic add and one compare-and-swap; allocates nothing
package final class Histogram: Sendable {
    let name: String
    let help: String
    /// Upper bounds, inclusive, ascending; a last bucket without a bound follows them.
    private let bounds: [Double]
    private let buckets: [Bucket]
    /// Bit pattern of a `Double`, as there is no atomic one.
    private let sumBits = Atomic<UInt64>(0)

    private final class Bucket: Sendable {
        let count = Atomic<Int>(0)
    }

    init(_ name: String, _ help: String, bounds: [Double]) {
        self.name = name
        self.help = help
        self.bounds = bounds
        self.buckets = (0...bounds.count).map { _ in Bucket() }
    }

    /// Counts `value`, in the unit that the metric's name states.
    ///
    /// What is not a number is left out, as it would spoil the sum for good.
    package func observe(_ value: Double) {
        guard !value.isNaN else { return }
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        buckets[index].count.wrappingAdd(1, ordering: .relaxed)
        var old = sumBits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + value).bitPattern
            let result = sumBits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            guard !result.exchanged else { return }
            old = result.original
        }
    }

    /// Number of observations.
    package var count: Int { buckets.reduce(0) { $0 + $1.count.load(ordering: .relaxed) } }

    /// Sum of the observed values.
    package var sum: Double { Double(bitPattern: sumBits.load(ordering: .relaxed)) }
}

extension Histogram: Metric {
    static var kind: String { "histogram" }

    func write(labels: String, into text: inout ExpositionText) {
        let separator = labels.isEmpty ? "" : ","
        var total = 0
        // The count is the last cumulative bucket, so that both agree whatever is observed meanwhile.
        for (bound, bucket) in zip(bounds + [.infinity], buckets) {
            total += bucket.count.load(ordering: .relaxed)
            let le = ExpositionText.number(bound)
            text.sample("\(name)_bucket", labels: "\(labels)\(separator)le=\"\(le)\"", "\(total)")
        }
        text.sample("\(name)_sum", labels: labels, ExpositionText.number(sum))
        text.sample("\(name)_count", labels: labels, "\(total)")
    }
}
