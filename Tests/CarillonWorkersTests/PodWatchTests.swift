import CarillonWorkers
import Testing

@Suite struct PodWatchTests {
    private let start = ContinuousClock.now

    /// Observes at `seconds` since the start.
    private func see(
        _ watch: inout PodWatch,
        _ heartbeats: [String: String],
        at seconds: Double,
        took: Duration = .milliseconds(1)
    ) -> [String] {
        watch.observed(heartbeats, at: start + .milliseconds(Int64(seconds * 1_000)), took: took)
    }

    @Test(arguments: [(2.999, false), (3, true), (3.001, true)])
    func unchangedForThreeSeconds(seconds: Double, isDead: Bool) {
        var watch = PodWatch()
        #expect(see(&watch, ["a": "1", "b": "1"], at: 0) == [])
        #expect(see(&watch, ["a": "1", "b": "2"], at: seconds) == (isDead ? ["a"] : []))
        #expect(watch.pods == (isDead ? ["b"] : ["a", "b"]))
    }

    @Test func onlyAChangeCounts() {
        var watch = PodWatch()
        for second in 0..<20 {
            #expect(see(&watch, ["slow": "\(second / 2)", "back": "\(100 - second)"], at: Double(second)) == [])
        }
        #expect(watch.pods == ["slow", "back"])
    }

    @Test func theCountRunsFromTheFirstSightOfAValue() {
        var watch = PodWatch()
        #expect(see(&watch, ["a": "1"], at: 0) == [])
        #expect(see(&watch, ["a": "1"], at: 2.9) == [])
        #expect(see(&watch, ["a": "2"], at: 2.95) == [])
        #expect(see(&watch, ["a": "2"], at: 5.9) == [])
        #expect(see(&watch, ["a": "2"], at: 5.95) == ["a"])
    }

    @Test(arguments: [(499, true), (500, true), (501, false), (10_000, false)])
    func slowAnswersStartTheCountAnew(milliseconds: Int, isDead: Bool) {
        var watch = PodWatch()
        #expect(see(&watch, ["a": "1"], at: 0) == [])
        #expect(see(&watch, ["a": "1"], at: 3, took: .milliseconds(milliseconds)) == (isDead ? ["a"] : []))
        guard !isDead else { return }
        #expect(see(&watch, ["a": "1"], at: 5.9) == [])
        #expect(see(&watch, ["a": "1"], at: 6) == ["a"])
    }

    @Test func aSlowAnswerInBetweenCountsToo() {
        var watch = PodWatch()
        #expect(see(&watch, ["a": "1"], at: 0) == [])
        #expect(see(&watch, ["a": "1"], at: 2, took: .seconds(1)) == [])
        #expect(see(&watch, ["a": "1"], at: 3) == [])
        #expect(see(&watch, ["a": "1"], at: 5) == ["a"])
    }

    @Test func aFailedObservationStartsTheCountAnew() {
        var watch = PodWatch()
        #expect(see(&watch, ["a": "1"], at: 0) == [])
        watch.interrupted()
        #expect(see(&watch, ["a": "1"], at: 3.5) == [])
        #expect(see(&watch, ["a": "1"], at: 6.4) == [])
        #expect(see(&watch, ["a": "1"], at: 6.5) == ["a"])
    }

    @Test func aPauseBetweenObservationsStartsTheCountAnew() {
        var watch = PodWatch()
        #expect(see(&watch, ["a": "1"], at: 0) == [])
        #expect(see(&watch, ["a": "1"], at: 4.1) == [])
        #expect(see(&watch, ["a": "1"], at: 7) == [])
        #expect(see(&watch, ["a": "1"], at: 7.1) == ["a"])
    }

    @Test func aDeadPodIsToldOnceAndCountedAnewIfItsFieldStays() {
        var watch = PodWatch()
        #expect(see(&watch, ["b": "1", "a": "1"], at: 0) == [])
        #expect(see(&watch, ["b": "1", "a": "1"], at: 3) == ["a", "b"])
        #expect(watch.pods.isEmpty)
        #expect(see(&watch, ["b": "1", "a": "1"], at: 4) == [])
        #expect(see(&watch, ["b": "1", "a": "2"], at: 7) == ["b"])
    }

    @Test func podsThatGoAreToldAndForgotten() {
        var watch = PodWatch()
        #expect(see(&watch, ["a": "1"], at: 0) == [])
        #expect(see(&watch, [:], at: 1) == ["a"])
        #expect(watch.pods.isEmpty)
        #expect(see(&watch, [:], at: 2) == [])
        #expect(see(&watch, ["a": "1"], at: 3) == [])
        #expect(see(&watch, ["a": "1"], at: 6) == ["a"])
    }
}
