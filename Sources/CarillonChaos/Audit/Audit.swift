internal import CarillonDomain
internal import CarillonTestSupport

/// What Redis held at the end, beside the ledger.
package struct AuditReport: Sendable {
    /// Entries of all users' streams.
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

    package init() {}

    mutating func add(_ other: AuditReport) {
        stored += other.stored
        read += other.read
        findings.add(other.findings)
        lost.formUnion(other.lost)
        excused.merge(other.excused) { $0.union($1) }
        excusedReads.merge(other.excusedReads, uniquingKeysWith: +)
        replays += other.replays
    }
}

/// Looks at Redis when a run is over and everything has settled: each user's stream, read state, pending list and payloads
/// must be what the ledger expects, and what a new device is shown must be what Redis holds.
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
            let contents = try await UserContents.read(user, from: redis)
            if !contents.readButPending.isEmpty { pending.append(user) }
            var comparison = UserComparison(user: user, contents: contents, notifications: notifications)
            try await comparison.run(redis)
            report.add(comparison.report)
        }
        try await checkPending(pending, redis, &report)
        try await compareReplays(ledger.users.count, redis, &report)
        return report
    }

    private func checkPending(
        _ users: [FleetUser],
        _ redis: WireRedis,
        _ report: inout AuditReport
    ) async throws {
        let deadline = ContinuousClock.now + patience
        for user in users {
            var contents = try await UserContents.read(user, from: redis)
            while !contents.readButPending.isEmpty, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(100))
                contents = try await UserContents.read(user, from: redis)
            }
            for entry in contents.readButPending {
                report.findings.add(.readPending, "\(user.login): \(entry.id) (\(entry.streamID))")
            }
        }
    }

    private func compareReplays(_ users: Int, _ redis: WireRedis, _ report: inout AuditReport) async throws {
        guard !ports.isEmpty else { return }
        var random = SeededGenerator(seed: seed)
        for index in (0..<users).shuffled(using: &random).prefix(sample) {
            let user = FleetUser(index: index)
            let contents = try await UserContents.read(user, from: redis)
            let shown = try await ShownReplay.fetch(user, port: ports[report.replays % ports.count])
            report.replays += 1
            for difference in shown.differences(from: contents) {
                report.findings.add(.badReplay, "\(user.login): \(difference)")
            }
        }
    }
}
