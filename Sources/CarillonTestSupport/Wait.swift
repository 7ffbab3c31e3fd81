/// Waits until the condition holds.
///
/// - Throws: where it does not hold in time, naming what was waited for; and whatever the condition throws.
package func wait(
    until what: String,
    within: Duration = .seconds(5),
    _ condition: () async throws -> Bool
) async throws {
    _ = try await eventually(within: within, what) { try await condition() ? true : nil }
}
