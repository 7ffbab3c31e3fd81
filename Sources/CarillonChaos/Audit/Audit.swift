internal import CarillonDomain
internal import CarillonTestSupport

/// What Redis held at the end, beside the ledger.
package struct AuditReport: Sendable {
    /// Entries of all users' and topics' streams.
    package var stored = 0
    /// Of these, marked as read.
    package var read = 0
    package var findings = Findings()
    /// Accepted notifications that are not in their streams, without an excuse.
    package var lost: Set<Int> = []
    /// The same with the fault that excuses it.
    package var excused: [Int: Set<Int>] = [:]
    /// Acknowledged reads that are not stored, by the fault that excuses it.
    package var excusedReads: [Int: Int] = [:]
    /// Users whose stream was replayed to a new device and compared.
    package var replays = 0
    /// Users whose list over HTTP was compared.
    package var lists = 0

    package init() {}

    mutating func add(_ other: AuditReport) {
        stored += other.stored
        read += other.read
        findings.add(other.findings)
        lost.formUnion(other.lost)
        excused.merge(other.excused) { $0.union($1) }
        excusedReads.merge(other.excusedReads, uniquingKeysWith: +)
        replays += other.replays
        lists += other.lists
    }
}

/// Looks at Redis when a run is over and everything has settled: each user's stream, read state, subscriptions, pending list and
/// payloads, and each topic's stream, must be what the ledger expects, and what a new device is shown and what is listed over HTTP
/// must be what Redis holds.
///
/// The pods run; nothing may be posted or read meanwhile. `STREAM_MAXLEN` must be beyond what any user got.
package struct Audit: Sendable {
    private let redisPort: Int
    private let ports: [Int]
    private let sample: Int
    private let seed: UInt64
    private let patience: Duration

    /// - Parameters:
    ///   - ports: Pods to which new devices connect; none are tried where it is empty.
    ///   - sample: Users whose replay is compared.
    ///   - seed: Decides which users these are.
    ///   - patience: Time that the pods' repair of pending lists may take.
    package init(
        redisPort: Int,
        ports: [Int] = [],
        sample: Int = 20,
        seed: UInt64 = 0,
        patience: Duration = .seconds(15)
    ) {
        self.redisPort = redisPort
        self.ports = ports
        self.sample = sample
        self.seed = seed
        self.patience = patience
    }

    /// - Throws: `WireError` where Redis or a pod cannot be asked.
    package func run(_ ledger: LedgerSnapshot) async throws -> AuditReport {
        let redis = try WireRedis(port: redisPort)
        var report = AuditReport()
        var pending: [FleetUser] = []
        for (index, notifications) in ledger.users.enumerated() {
            let user = FleetUser(index: index)
            let contents = try await StreamContents.read(user, from: redis)
            if !contents.readButPending.isEmpty { pending.append(user) }
            var comparison = StreamComparison(
                name: user.login,
                contents: contents,
                notifications: notifications,
                mayLackPayloads: ledger.hasFailedOver
            )
            try await comparison.run(redis)
            report.add(comparison.report)
        }
        for (topic, notifications) in ledger.topics {
            let contents = try await StreamContents.read(topic, from: redis)
            var comparison = StreamComparison(
                name: "@\(topic.name)",
                contents: contents,
                notifications: notifications,
                mayLackPayloads: ledger.hasFailedOver
            )
            try await comparison.run(redis)
            report.add(comparison.report)
        }
        try await checkPending(pending, redis, &report)
        try await checkInboxes(ledger, redis, &report)
        return report
    }

    private func checkPending(
        _ users: [FleetUser],
        _ redis: WireRedis,
        _ report: inout AuditReport
    ) async throws {
        let deadline = ContinuousClock.now + patience
        for user in users {
            var contents = try await StreamContents.read(user, from: redis)
            while !contents.readButPending.isEmpty, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(100))
                contents = try await StreamContents.read(user, from: redis)
            }
            for entry in contents.readButPending {
                report.findings.add(.readPending, "\(user.login): \(entry.id) (\(entry.streamID))")
            }
        }
    }

    /// Subscriptions of all users; of some of them also what pods make of their streams.
    private func checkInboxes(_ ledger: LedgerSnapshot, _ redis: WireRedis, _ report: inout AuditReport) async throws {
        var random = SeededGenerator(seed: seed)
        for (number, index) in (0..<ledger.users.count).shuffled(using: &random).enumerated() {
            let user = FleetUser(index: index)
            let inbox = try await InboxContents.read(user, topics: ledger.topics.keys, from: redis)
            for difference in inbox.differences(from: ledger.listeners[index]) {
                report.findings.add(.subscription, "\(user.login): \(difference)")
            }
            for id in inbox.lostReads(of: ledger.listeners[index]) {
                report.findings.add(.readLost, "\(user.login): the read of the topic's \(id) is not stored")
            }
            guard number < sample, !ports.isEmpty else { continue }
            let port = ports[number % ports.count]
            report.replays += 1
            for difference in try await ShownReplay.fetch(user, port: port).differences(from: inbox) {
                report.findings.add(.badReplay, "\(user.login): \(difference)")
            }
            report.lists += 1
            for difference in try await ShownList.fetch(user, port: port).differences(from: inbox) {
                report.findings.add(.badList, "\(user.login): \(difference)")
            }
        }
    }
}
