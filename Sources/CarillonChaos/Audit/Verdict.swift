internal import CarillonLoad
internal import NIOCore

/// What is to be said of a run.
package struct Verdict: Sendable {
    private static let findingsShown = 20

    private let seed: UInt64
    private let command: String
    private let ledger: LedgerSnapshot
    private let audit: AuditReport
    private let findings: Findings

    /// - Parameters:
    ///   - command: What runs the same schedule again.
    ///   - world: What was found beside the load, such as a pod that ended by itself.
    package init(
        seed: UInt64,
        command: String,
        ledger: LedgerSnapshot,
        audit: AuditReport,
        world: Findings = Findings()
    ) {
        self.seed = seed
        self.command = command
        self.ledger = ledger
        self.audit = audit
        var findings = world
        findings.add(ledger.findings)
        findings.add(audit.findings)
        self.findings = findings
    }

    /// Whether nothing was found.
    package var isGreen: Bool { findings.isEmpty }

    /// Notifications that a device never got or that Redis does not hold, without an excuse.
    package var lost: Int { ledger.lost.union(audit.lost).count }

    package func count(_ kind: Finding.Kind) -> Int { findings.count(kind) }

    package var text: String {
        var lines = ["verdict: \(isGreen ? "green" : "RED")", "seed: \(seed)", ""]
        lines += faultLines
        lines += countLines
        lines += latencyLines
        lines += findingLines
        lines += ["", "again: \(command)"]
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - Parts of the text

    private var faultLines: [String] {
        guard !ledger.faults.isEmpty else { return ["faults: none", ""] }
        var lines = ["faults:"]
        for (number, fault) in ledger.faults.enumerated() {
            let recovered = fault.timeToRecover.map { Self.time($0) } ?? "never"
            lines.append(
                "  \(number + 1). \(fault.record.name) (\(fault.record.detail)): at \(Self.time(fault.began)), for "
                    + "\(fault.length.map { Self.time($0) } ?? "the rest"), recovered in \(recovered); "
                    + "deliveries meanwhile \(fault.latency.count), p99 \(Self.time(fault.latency.percentile(0.99)))"
                    + "; answers p99 \(Self.time(fault.answers.percentile(0.99)))"
            )
            lines += excuseLines(number, fault)
        }
        return lines + [""]
    }

    private func excuseLines(_ number: Int, _ fault: LedgerSnapshot.Fault) -> [String] {
        let notifications = excusedNotifications(number, fault).count
        let reads = audit.excusedReads[number] ?? 0
        guard notifications + reads > 0 else { return [] }
        return [
            "     excused: \(notifications) notifications, \(reads) reads, because \(Self.reason(fault.record.excuse))"
        ]
    }

    /// Notifications that are missing and excused by the fault. What is stored had to be delivered.
    private func excusedNotifications(_ number: Int, _ fault: LedgerSnapshot.Fault) -> Set<Int> {
        fault.undelivered.union(audit.excused[number] ?? []).subtracting(audit.lost)
    }

    private static func reason(_ excuse: Excuse) -> String {
        switch excuse {
        case .nothing: "of nothing"
        case .unsynced(let duration): "Redis had not synced the last \(time(TimeAmount(duration)))"
        case .failedOver(let duration, _):
            "no replica had confirmed it, \(time(TimeAmount(duration))) before the fault or during it"
        case .wiped(nil): "all data was wiped"
        case .wiped(let users?): "the data of \(users.count) users was wiped"
        }
    }

    private var countLines: [String] {
        let counts = ledger.counts
        let excused = ledger.faults.enumerated().reduce(into: Set<Int>()) { all, fault in
            all.formUnion(excusedNotifications(fault.offset, fault.element))
        }
        var rows: [(String, Int)] = [
            ("posts", counts.posts), ("posts not sent for want of a connection", counts.postsSkipped),
            ("accepted notifications", counts.accepted), ("stored", audit.stored), ("delivered", counts.delivered),
            ("of these for topics: accepted", counts.topicsAccepted),
            ("of these for topics: delivered and checked", counts.topicsDelivered),
            ("subscriptions changed", counts.subscriptionsChanged),
            ("owed no more after unsubscribing", counts.unsubscribed),
            ("delivered again after a reconnect", counts.deliveredAgain),
            ("left out by a full replay, read and old", counts.leftOut), ("read", counts.readsAcknowledged),
            ("refused with 503", counts.refused), ("unknown outcome", counts.unknown),
            ("connections lost", counts.connectionsLost), ("replays compared", audit.replays),
            ("lists compared", audit.lists),
            ("excused", excused.count), ("lost", lost),
        ]
        for kind in Finding.Kind.allCases where kind != .notDelivered && kind != .notStored {
            rows.append((kind.rawValue, findings.count(kind)))
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, count in
            "\(name)\(String(repeating: " ", count: width - name.count + 2))\(count)"
        }
    }

    private var latencyLines: [String] {
        let recoveries = ledger.faults.compactMap(\.timeToRecover).reduce(into: LatencyHistogram()) { $0.record($1) }
        return [
            "", "latency, from the post to the push:",
            "  quiet          \(Self.summary(ledger.deliveries.quiet))",
            "  during faults  \(Self.summary(ledger.deliveries.troubled))",
            "latency, from the post to its 202:",
            "  quiet          \(Self.summary(ledger.answers.quiet))",
            "  during faults  \(Self.summary(ledger.answers.troubled))",
            "time to recover  \(Self.summary(recoveries))",
        ]
    }

    private var findingLines: [String] {
        guard !findings.isEmpty else { return [] }
        let total = findings.counts.values.reduce(0, +)
        // Of each kind some, so that many of one do not hide another.
        let each = max(1, Self.findingsShown / findings.counts.count)
        let shown = Dictionary(grouping: findings.list, by: \.kind).flatMap { $1.prefix(each) }
            .sorted { $0.kind.rawValue < $1.kind.rawValue }
        return ["", "findings (\(shown.count) of \(total)):"] + shown.map { "  \($0.kind.rawValue): \($0.text)" }
    }

    private static func summary(_ histogram: LatencyHistogram) -> String {
        guard histogram.count > 0 else { return "none" }
        return "p50 \(time(histogram.percentile(0.5))), p99 \(time(histogram.percentile(0.99))), max "
            + "\(time(histogram.max)), of \(histogram.count)"
    }

    /// In milliseconds below ten seconds, else in seconds, with one decimal.
    private static func time(_ time: TimeAmount) -> String {
        let isLong = time >= .seconds(10)
        let tenths = time.nanoseconds / (isLong ? 100_000_000 : 100_000)
        return "\(tenths / 10).\(abs(tenths % 10)) \(isLong ? "s" : "ms")"
    }
}
