/// Which faults happen in a run, in which order, with which pauses: the same for the same seed.
package struct Schedule: Sendable {
    package struct Step: Sendable {
        /// Quiet time before the fault.
        package let pause: Duration
        package let fault: any Fault
        /// Another fault that begins that long after this one.
        package let overlap: (after: Duration, fault: any Fault)?
    }

    package let steps: [Step]

    /// Kinds that every short run has.
    static let essential = [
        "pod-killed", "pod-frozen", "redis-restarted", "link-cut", "bus-trimmed", "pods-rolled",
    ]
    /// Others that a short run has beside them.
    private static let others = 2...4
    /// How often each kind comes in a long run.
    private static let repeats = 3
    /// Share of the faults of a long run during which another one happens.
    private static let overlapShare = 0.25
    /// Kinds that no soak has: the one ends all processes, the other wipes away whatever keys were left behind.
    private static let tooThorough: Set<String> = ["pods-rolled", "redis-flushed"]

    /// - Parameters:
    ///   - names: Only these kinds, in this order, each as often as it is named; all that the pace has where empty.
    ///   - draw: Its pace says how long the schedule is.
    ///   - rounds: How often all of it is done.
    package init(_ draw: FaultDraw, names: [String] = [], rounds: Int = 1) {
        var draw = draw
        let kinds = (0..<rounds).flatMap { _ in
            names.isEmpty ? Self.kinds(&draw) : names.compactMap(FaultKind.named)
        }
        steps = kinds.map { kind in
            let pause = draw.seconds(Self.pauses(draw.pace))
            // A soak must have a process that lives as long as it does.
            draw.spared = draw.pace == .soak && kind.endsProcess ? 1 : 0
            let fault = kind.draw(&draw)
            var overlap: (after: Duration, fault: any Fault)?
            if names.isEmpty, draw.pace == .long, draw.chance(Self.overlapShare),
                let other = FaultKind.all.randomElement(using: &draw.random)?.draw(&draw),
                other.touched.isApart(from: fault.touched)
            {
                overlap = (draw.seconds(0.2...2), other)
            }
            return Step(pause: pause, fault: fault, overlap: overlap)
        }
    }

    /// Seconds between two faults.
    private static func pauses(_ pace: Pace) -> ClosedRange<Double> {
        switch pace {
        case .short: 2...4
        case .standard, .long: 2...6
        case .soak: 12...20
        }
    }

    private static func kinds(_ draw: inout FaultDraw) -> [FaultKind] {
        let all = FaultKind.all
        switch draw.pace {
        case .short:
            let others = all.filter { $0.isBrief && !essential.contains($0.name) }.shuffled(using: &draw.random)
            let count = Int.random(in: Self.others, using: &draw.random)
            return (essential.compactMap(FaultKind.named) + others.prefix(count)).shuffled(using: &draw.random)
        case .standard: return all.shuffled(using: &draw.random)
        case .soak: return all.filter { !tooThorough.contains($0.name) }.shuffled(using: &draw.random)
        case .long: return (0..<repeats).flatMap { _ in all.shuffled(using: &draw.random) }
        }
    }
}
