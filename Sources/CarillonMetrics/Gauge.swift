package import Synchronization

/// A number that goes up and down.
///
/// - Isolation: any thread
/// - Cost: one relaxed atomic operation
package final class Gauge: Sendable {
    let name: String
    let help: String
    @usableFromInline let current = Atomic<Int>(0)

    init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    @inlinable
    package func set(_ value: Int) {
        current.store(value, ordering: .relaxed)
    }

    /// Adds `amount`, which may be negative.
    @inlinable
    package func add(_ amount: Int) {
        current.wrappingAdd(amount, ordering: .relaxed)
    }

    package var value: Int { current.load(ordering: .relaxed) }
}

extension Gauge: Metric {
    static var kind: String { "gauge" }

    func write(labels: String, into text: inout ExpositionText) {
        text.sample(name, labels: labels, "\(value)")
    }
}
