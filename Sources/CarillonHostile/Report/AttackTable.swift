internal import Foundation

/// Rows of attacks as text.
package enum AttackTable {
    private static let columns: [(title: String, text: @Sendable (AttackRow) -> String)] = [
        ("attack", { $0.name }),
        ("attempts/s", { number($0.result.attemptsPerSecond, 0) }),
        ("answers", { answers($0) }),
        ("good p50 / p99 ms, quiet", { latency($0.calm) }),
        ("attacked", { latency($0.attacked) }),
        ("ratio", { "\(ratio($0, 0.5)) / \(ratio($0, 0.99))" }),
        ("good per second, ratio", { number($0.attacked.perSecond / max(0.001, $0.calm.perSecond), 2) }),
        ("memory, MB: before / peak / after", { course($0.memory, unit: 1_048_576) }),
        ("descriptors", { course($0.descriptors, unit: 1) }),
        ("verdict", { $0.faults.isEmpty ? "holds" : $0.faults.joined(separator: "; ") }),
    ]

    /// A markdown table.
    package static func text(_ rows: [AttackRow]) -> String {
        let head = "| \(columns.map(\.title).joined(separator: " | ")) |"
        let rule = "| \(columns.map { _ in "---" }.joined(separator: " | ")) |"
        let lines = rows.map { row in "| \(columns.map { $0.text(row) }.joined(separator: " | ")) |" }
        return ([head, rule] + lines).joined(separator: "\n")
    }

    /// One row, for the progress.
    static func line(_ row: AttackRow) -> String {
        columns.dropFirst().map { "\($0.title) \($0.text(row))" }.joined(separator: ", ")
    }

    /// The most frequent ones first.
    private static func answers(_ row: AttackRow) -> String {
        let sorted = row.result.outcomes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.isEmpty ? "–" : sorted.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }

    private static func latency(_ window: GoodWindow) -> String {
        "\(number(window.milliseconds(0.5), 2)) / \(number(window.milliseconds(0.99), 1))"
    }

    private static func ratio(_ row: AttackRow, _ share: Double) -> String {
        number(row.attacked.milliseconds(share) / max(0.001, row.calm.milliseconds(share)), 1)
    }

    private static func course(_ course: AttackRow.Course, unit: Int) -> String {
        [course.before, course.peak, course.after].map { number(Double($0) / Double(unit), 0) }.joined(separator: " / ")
    }

    private static func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
