import NIOCore

/// One way to harm a server, and what must be seen of it.
package struct Attack: Sendable {
    package let name: String
    /// One line: what is done.
    package let summary: String
    /// Connections at once. One that has ended makes room for the next.
    var connections = 100
    /// New connections per second, at most.
    var perSecond = 1_000.0
    var seconds = 5.0
    /// How connections may end: see `AttackSocket.outcome`. Anything else is a limit that did not hold.
    let allowed: Set<String>
    /// What must have been seen at least once.
    var required: Set<String> = []
    /// What has to be there before.
    var prepare: @Sendable (Target) async throws -> Void = { _ in }
    /// Goes on beside the connections until it is cancelled.
    var beside: (@Sendable (Target) async throws -> Void)?
    /// What is wrong afterwards; nil: nothing.
    var fault: @Sendable (Target) async throws -> String? = { _ in nil }
    /// What the n-th connection does.
    let script: @Sendable (Int) -> AttackScript

    package static func named(_ name: String) -> Attack? { all.first { $0.name == name } }

    package static let all = slow + malformed + churn + unread + frames + floods + compression

    /// How long a flood goes on before the server has had enough of it, and a little longer.
    static let floodSeconds = 35.0
}
