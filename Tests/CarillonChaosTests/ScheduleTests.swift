import CarillonChaos
import Testing

@Suite struct ScheduleTests {
    private func schedule(_ seed: UInt64, _ pace: Pace, names: [String] = []) -> Schedule {
        Schedule(FaultDraw(seed: seed, pace: pace, pods: 3, users: 60), names: names)
    }

    private func lines(_ schedule: Schedule) -> [String] {
        schedule.steps.map { step in
            let overlap = step.overlap.map { "\($0.after) \($0.fault.record.name) \($0.fault.record.detail)" }
            return "\(step.pause) \(step.fault.record.name) \(step.fault.record.detail) \(overlap ?? "alone")"
        }
    }

    private func names(_ schedule: Schedule) -> [String] { schedule.steps.map(\.fault.record.name) }

    @Test(arguments: Pace.allCases) func theSameSeedGivesTheSameFaults(pace: Pace) {
        #expect(lines(schedule(7, pace)) == lines(schedule(7, pace)))
        #expect(lines(schedule(7, pace)) != lines(schedule(8, pace)))
    }

    @Test func aShortRunHasWhatItMust() {
        for seed in UInt64(0)..<200 {
            let names = names(schedule(seed, .short))
            #expect((8...10).contains(names.count))
            #expect(Set(names).count == names.count)
            for name in ["pod-killed", "pod-frozen", "redis-restarted", "link-cut", "bus-trimmed", "pods-rolled"] {
                #expect(names.contains(name), "seed \(seed) has no \(name)")
            }
        }
    }

    @Test func aStandardRunHasEachKindOnce() {
        #expect(names(schedule(1, .standard)).sorted() == FaultKind.all.map(\.name).sorted())
    }

    @Test func aLongRunHasEachKindSeveralTimesAndOverlapsThem() {
        let long = schedule(1, .long)
        for kind in FaultKind.all { #expect(names(long).filter { $0 == kind.name }.count >= 3) }
        let overlaps = long.steps.compactMap { step in step.overlap.map { (step.fault, $0.fault) } }
        #expect(overlaps.count > 5)
        for (first, second) in overlaps { #expect(first.touched.isApart(from: second.touched)) }
    }

    /// One process must live as long as the soak, and nobody may wipe away the keys that were left behind.
    @Test func aSoakSparesAPodAndTheKeys() {
        let soak = Schedule(FaultDraw(seed: 1, pace: .soak, pods: 3, users: 60), rounds: 20)
        #expect(soak.steps.count == 20 * (FaultKind.all.count - 2))
        for step in soak.steps {
            let record = step.fault.record
            #expect(record.name != "redis-flushed" && record.name != "pods-rolled")
            #expect(step.pause >= .seconds(12) && step.overlap == nil)
            if ["pod-killed", "pod-terminated", "name-taken"].contains(record.name) {
                #expect(!record.detail.hasPrefix("pod-1"))
            }
        }
        #expect(
            soak.steps.contains { $0.fault.record.name == "pod-frozen" && $0.fault.record.detail.hasPrefix("pod-1") }
        )
        #expect(Set(names(schedule(1, .soak, names: ["link-cut"]))) == ["link-cut"])
    }

    @Test func namedKindsComeInTheirOrder() {
        let wanted = ["link-cut", "calm", "link-cut"]
        #expect(names(schedule(1, .short, names: wanted)) == wanted)
        #expect(FaultKind.named("no-such-thing") == nil)
    }

    /// Others must be served as ever while some misbehave, so that no other fault may excuse that they are not.
    @Test func nothingHappensBesideDevicesThatMisbehave() {
        let kinds = Set(["devices-asleep", "devices-flooding"])
        for seed in UInt64(0)..<50 {
            for step in schedule(seed, .long).steps {
                guard let overlap = step.overlap else { continue }
                #expect(kinds.isDisjoint(with: [step.fault.record.name, overlap.fault.record.name]))
            }
        }
    }

    @Test func everyKindHasANameOfItsOwnAndAPromise() {
        #expect(Set(FaultKind.all.map(\.name)).count == FaultKind.all.count)
        for kind in FaultKind.all { #expect(!kind.promise.isEmpty) }
        for seed in UInt64(0)..<20 {
            for step in schedule(seed, .long).steps {
                #expect(
                    FaultKind.named(step.fault.record.name) != nil,
                    "\(step.fault.record.name) is called as its kind"
                )
            }
        }
    }
}
