package import CarillonTestSupport

/// Something that goes wrong, with everything about it decided beforehand.
package protocol Fault: Sendable {
    var record: FaultRecord { get }
    /// What it is done to; faults that touch the same thing do not overlap.
    var touched: Touched { get }
    /// Makes it happen, and returns once it has healed.
    ///
    /// - Throws: `BrokenPromise` where the server did not do what the kind of fault says must hold.
    func inject(_ world: World) async throws
    /// Whether it excuses anything at all, if only a moment's delay.
    var isFault: Bool { get }
}

extension Fault {
    package var isFault: Bool { true }
}

/// What a fault is done to.
package struct Touched: Sendable, Equatable {
    package var pods: Set<Int>
    /// Redis itself, or something that the harness does by asking it.
    package var redis: Bool
    /// Indexes of the users whose keys were tampered with.
    package var users: Set<Int>
    /// No other fault may happen meanwhile.
    package var isAlone = false

    static let alone: Touched = {
        var touched = Touched()
        touched.isAlone = true
        return touched
    }()

    package init(pods: Set<Int> = [], redis: Bool = false, users: Set<Int> = []) {
        self.pods = pods
        self.redis = redis
        self.users = users
    }

    /// Whether two faults may happen at the same time.
    package func isApart(from other: Touched) -> Bool {
        !isAlone && !other.isAlone && pods.isDisjoint(with: other.pods) && !(redis && other.redis)
            && users.isDisjoint(with: other.users)
    }
}

/// How long a run is, and with it its faults.
package enum Pace: String, Sendable, CaseIterable {
    case short
    case standard
    case long
    /// As long as it is told to, with few faults, to see what grows.
    case soak
}

/// Draws the parameters of faults from a seed.
package struct FaultDraw: Sendable {
    package var random: SeededGenerator
    package let pace: Pace
    package let pods: Int
    package let users: Int
    /// The first so many pods are not drawn.
    var spared = 0

    package init(seed: UInt64, pace: Pace, pods: Int, users: Int) {
        self.random = SeededGenerator(seed: seed)
        self.pace = pace
        self.pods = pods
        self.users = users
    }

    package mutating func pod() -> Int { Int.random(in: spared..<pods, using: &random) }

    package mutating func user() -> Int { Int.random(in: 0..<users, using: &random) }

    package mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }

    /// A time between two numbers of seconds, in steps of 10 ms.
    package mutating func seconds(_ range: ClosedRange<Double>) -> Duration {
        .milliseconds(Int.random(in: Int(range.lowerBound * 100)...Int(range.upperBound * 100), using: &random) * 10)
    }

    /// The second range in long runs, the first one in all others.
    package mutating func seconds(_ range: ClosedRange<Double>, long: ClosedRange<Double>) -> Duration {
        seconds(pace == .long ? long : range)
    }
}

extension Duration {
    /// Such as `2.5 s`.
    package var inSeconds: String {
        let milliseconds = components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
        let tenths = (milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
