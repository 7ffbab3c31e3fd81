import CarillonTestSupport
import Testing

extension Trait where Self == ConditionTrait {
    /// For what only a Redis alone has or costs: left out where tests run on a cluster.
    static var standalone: Self { .enabled(if: TestTopology.current == .standalone, "a Redis alone") }
}
