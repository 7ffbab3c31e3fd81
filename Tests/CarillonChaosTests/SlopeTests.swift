import CarillonChaos
import CarillonTestSupport
import Testing

@Suite struct SlopeTests {
    private func points(_ count: Int, _ value: (Double) -> Double) -> [Point] {
        (0..<count).map { Point(100 + Double($0), value(Double($0))) }
    }

    @Test func aLineIsFoundAsItIs() throws {
        let slope = try #require(Slope([points(61) { 5_000_000 + 250 * $0 }]))
        #expect(abs(slope.perSecond - 250) < 1e-6)
        #expect(slope.length == 60)
        #expect(abs(slope.growth - 15_000) < 1e-3)
    }

    @Test func whatFallsHasANegativeSlope() throws {
        let slope = try #require(Slope([points(10) { 100 - 3 * $0 }]))
        #expect(abs(slope.perSecond + 3) < 1e-9)
    }

    @Test func whatSwingsAroundOneValueDoesNotGrow() throws {
        var random = SeededGenerator(seed: 1)
        let slope = try #require(Slope([points(600) { _ in 30e6 + Double.random(in: -1e6...1e6, using: &random) }]))
        #expect(abs(slope.growth) < 0.4e6)
    }

    @Test func aLeakShowsThroughTheSwings() throws {
        var random = SeededGenerator(seed: 1)
        let slope = try #require(
            Slope([points(600) { 30e6 + 10_000 * $0 + Double.random(in: -1e6...1e6, using: &random) }])
        )
        #expect(abs(slope.growth - 6e6) < 0.4e6)
    }

    /// A leap between two stretches is none of the growth; what grows in both of them is.
    @Test func leapsBetweenStretchesDoNotCount() throws {
        let all = points(100) { ($0 < 50 ? 10e6 : 50e6) + 100 * $0 }
        #expect(try #require(Slope([all])).growth > 30e6)
        let stretches = all.stretches(without: [148.5...151.5])
        #expect(stretches.map(\.count) == [49, 48])
        let slope = try #require(Slope(stretches))
        #expect(abs(slope.perSecond - 100) < 1e-6 && slope.length == 99)
    }

    @Test func gapsMayTouchOrTakeAll() {
        let all = points(10) { $0 }
        #expect(all.stretches(without: []) == [all])
        #expect(all.stretches(without: [99...102, 101...103, 104...105]) == [Array(all[6...])])
        #expect(all.stretches(without: [0...200]).isEmpty)
        #expect([Point]().stretches(without: [0...1]).isEmpty)
    }

    @Test func lessThanTwoMomentsHaveNone() {
        #expect(Slope([]) == nil && Slope([[]]) == nil)
        #expect(Slope([[Point(1, 1)]]) == nil)
        #expect(Slope([[Point(1, 1), Point(1, 5)]]) == nil)
        #expect(Slope([[Point(1, 1), Point(2, 1)]])?.perSecond == 0)
    }

    @Test(arguments: [(3, 3), (4, 4), (5, 3), (8, 4), (9, 3), (1_000, 4)]) func thinnedToAtMostFour(
        count: Int,
        left: Int
    ) {
        let all = points(count) { $0 }
        let thinned = all.thinned(to: 4)
        #expect(thinned.count == left)
        #expect(thinned.map(\.second) == thinned.map(\.second).sorted())
        if count <= 4 { #expect(thinned == all) }
    }

    @Test func thinnedPointsAreMeans() {
        let thinned = [Point(0, 1), Point(1, 3), Point(2, 10)].thinned(to: 2)
        #expect(thinned == [Point(0.5, 2), Point(2, 10)])
    }
}
