package import Synchronization

/// A number that only grows.
///
/// - Isolation: any thread
/// - Cost: one relaxed atomic add
package final class Counter: Sendable {
    let name: String
    let help: String
    @usableFromInline let total = Atomic<Int>(0)

    init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    @inlinable
    package func increment(by amount: Int = 1) {
        total.wrappingAdd(amount, ordering: .relaxed)
    }

    package var value: Int { total.load(ordering: .relaxed) }
}

extension Counter: Metric {
    static var kind: String { "counter" }

    func write(labels: String, into text: inout ExpositionText) {
        text.sample(name, labels: labels, "\(value)")
    }
}
