package import NIOCore

/// The other pods, as the heartbeat last saw them.
///
/// - Isolation: the event loop
package final class PodDirectory {
    /// All but this one.
    package private(set) var others: Set<String> = []
    private var seenAt: NIODeadline?

    /// What is known is believed for so long; a stalled heartbeat must not hide a pod that has joined. A pod that joins reads all
    /// its users again once this time has passed.
    package static let believedFor = TimeAmount.seconds(2)

    package init() {}

    /// No other pod can hold devices, so nobody has to be looked up and told.
    package var isAlone: Bool {
        guard let seenAt, others.isEmpty else { return false }
        return NIODeadline.now() - seenAt < Self.believedFor
    }

    /// The heartbeat was looked at lately and does not know this pod.
    package func isDead(_ pod: String) -> Bool {
        guard let seenAt, !others.contains(pod) else { return false }
        return NIODeadline.now() - seenAt < Self.believedFor
    }

    /// A pod was heard of before a heartbeat showed it.
    package func add(_ pod: String) { others.insert(pod) }

    /// The heartbeat saw `others`, by a command that was sent at `time`.
    package func update(others: Set<String>, asOf time: NIODeadline) {
        self.others = others
        seenAt = time
    }
}

@available(*, unavailable)
extension PodDirectory: Sendable {}
