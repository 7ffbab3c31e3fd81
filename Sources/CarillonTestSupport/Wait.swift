/// Waits until the condition holds, asking again every few milliseconds.
///
/// - Throws: `WireError.timedOut` naming what was waited for, where it does not hold in time; and whatever the
///   condition throws.
package func wait(
    until what: String,
    within: Duration = .seconds(15),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + within
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw WireError.timedOut(what) }
        try await Task.sleep(for: .milliseconds(5))
    }
}
