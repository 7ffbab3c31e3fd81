import CarillonLoad
import NIOCore
import Testing

@Suite struct LatencyHistogramTests {
    @Test func percentilesAreCloseAndNeverTooShort() {
        var histogram = LatencyHistogram()
        for value in 1...10_000 { histogram.record(.microseconds(Int64(value))) }
        for (share, exact) in [(0.5, 5_000), (0.99, 9_900), (1, 10_000)] {
            let found = histogram.percentile(share).nanoseconds / 1_000
            #expect(found >= exact && found <= Int64(exact) * 65 / 64 + 1, "\(share): \(found)")
        }
        #expect(histogram.max == .milliseconds(10))
    }

    @Test func oneCountsWhatAnotherHasCounted() {
        var (short, long) = (LatencyHistogram(), LatencyHistogram())
        for value in 1...50 {
            short.record(.microseconds(Int64(value)))
            long.record(.microseconds(Int64(value) + 10_000))
        }
        for (first, second) in [(short, long), (long, short)] {
            var both = first
            both.add(second)
            #expect(both.count == 100 && both.max == long.max)
            #expect(both.percentile(0.5) == short.percentile(1) && both.percentile(1) == long.percentile(1))
        }
    }

    @Test func isZeroWhereThereIsNothing() { #expect(LatencyHistogram().percentile(0.5) == .zero) }
}
