/// A condition that did not come true in time.
package struct ConditionNotMet: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until `condition` is true, asking again every few milliseconds. The one way in which tests wait.
///
/// - Throws: `ConditionNotMet` naming the caller once `limit` has passed; whatever `condition` throws.
package func eventually(
    within limit: Duration = .seconds(30),
    fileID: String = #fileID,
    line: Int = #line,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    while try await !condition() {
        guard clock.now < deadline else {
            throw ConditionNotMet(description: "\(fileID):\(line): the condition was not met within \(limit)")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
