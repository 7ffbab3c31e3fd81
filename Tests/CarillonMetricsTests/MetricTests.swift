import Testing

@testable import CarillonMetrics

@Suite("Counters, gauges and histograms")
struct MetricTests {
    @Test func aCounterGrows() {
        let counter = Counter("c_total", "c")
        counter.increment()
        counter.increment(by: 4)
        #expect(counter.value == 5)
    }

    @Test func aGaugeGoesUpAndDown() {
        let gauge = Gauge("g", "g")
        gauge.set(3)
        gauge.add(2)
        gauge.add(-4)
        #expect(gauge.value == 1)
    }

    @Test func countersOfSeveralThreadsLoseNothing() async {
        let counter = Counter("c_total", "c")
        let histogram = Histogram("h", "h", bounds: [1])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        histogram.observe(0.5)
                    }
                }
            }
        }
        #expect(counter.value == 8_000)
        #expect(histogram.count == 8_000)
        #expect(histogram.sum == 4_000)
    }

    @Test func aBoundBelongsToItsOwnBucket() {
        let histogram = Histogram("h_ms", "Help.", bounds: [0.5, 1, 10])
        for value in [0.5, 0.75, 1, 1.25, 10, 11, .infinity] as [Double] { histogram.observe(value) }
        var text = ExpositionText()
        text.family(histogram)
        #expect(
            text.text == """
                # HELP h_ms Help.
                # TYPE h_ms histogram
                h_ms_bucket{le="0.5"} 1
                h_ms_bucket{le="1"} 3
                h_ms_bucket{le="10"} 5
                h_ms_bucket{le="+Inf"} 7
                h_ms_sum +Inf
                h_ms_count 7

                """
        )
    }

    @Test func whatIsNoNumberIsLeftOut() {
        let histogram = Histogram("h", "h", bounds: [1])
        histogram.observe(.nan)
        histogram.observe(2)
        #expect(histogram.count == 1)
        #expect(histogram.sum == 2)
    }

    @Test func labelsAndHelpAreEscaped() {
        let family = LabelledFamily(
            "l_total",
            "Back\\slash,\nline \"quote\".",
            keys: ["a", "b"],
            values: [["x\"y\\z\n", "ü"]],
            make: Counter.init
        )
        var text = ExpositionText()
        text.family(family)
        #expect(
            text.text == #"""
                # HELP l_total Back\\slash,\nline "quote".
                # TYPE l_total counter
                l_total{a="x\"y\\z\n",b="ü"} 0

                """#
        )
    }

    @Test(arguments: [
        (0.0, "0"), (1, "1"), (-2, "-2"), (0.25, "0.25"), (60_000, "60000"), (1e16, "1e+16"), (.infinity, "+Inf"),
        (-.infinity, "-Inf"), (1e-05, "1e-05"),
    ])
    func numbersReadAsTheFormatWantsThem(value: Double, text: String) {
        #expect(ExpositionText.number(value) == text)
    }
}
