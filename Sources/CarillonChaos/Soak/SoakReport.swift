package import CarillonTestSupport

/// What a soak comes to: what grew, and what did not go back to where it was.
package struct SoakReport: Sendable {
    /// What Redis and pods are at one of the quiet times.
    package struct Rest: Sendable {
        package var keys = KeyCensus()
        /// What Redis has allocated, and how much of that has a bound of its own.
        package var redisBytes = 0
        package var boundedBytes = 0
        /// By the pod.
        package var pods: [String: ProcessStatus] = [:]

        package init() {}

        package var freeBytes: Int { redisBytes - boundedBytes }
    }

    /// One process's memory.
    package struct Growth: Sendable {
        package let life: ProcessLife
        /// Over the steady part; nil where that is too short to say anything.
        package let slope: Slope?

        package var isLeak: Bool { (slope?.growth ?? 0) > SoakPlan.noiseBytes }
    }

    package let plan: SoakPlan
    package let record: SoakRecord
    /// When the load began and ended, in seconds of the record.
    package let load: ClosedRange<Double>
    /// What was done to pods, Redis and devices.
    package let events: [Chart.Mark]
    /// What happened around the load.
    package let phases: [(name: String, second: Double)]
    /// Visits of users beside the ledger.
    package let visits: Int
    /// Before the load, when all had left, and when all time had passed that anything is kept.
    package let before: Rest
    package let left: Rest
    package let after: Rest

    package init(
        plan: SoakPlan,
        record: SoakRecord,
        load: ClosedRange<Double>,
        events: [Chart.Mark] = [],
        phases: [(name: String, second: Double)] = [],
        visits: Int,
        before: Rest,
        left: Rest,
        after: Rest
    ) {
        self.plan = plan
        self.record = record
        self.load = load
        self.events = events
        self.phases = phases
        self.visits = visits
        self.before = before
        self.left = left
        self.after = after
    }

    // MARK: - Verdict

    package var isGreen: Bool { faults.isEmpty }

    /// What is not as it must be, in words.
    package var faults: [String] {
        var faults = growths.filter(\.isLeak).map { growth in
            "the memory of \(growth.life.pod) (process \(growth.life.id)) grows by \(Self.rate(growth.slope))"
        }
        if !growths.contains(where: { $0.slope != nil }) {
            faults.append("no process lived long enough to tell its growth")
        }
        faults += Self.connections(left).map { "\($0) when all had left" }
        faults += Self.differences(before, after)
        return faults
    }

    /// What Redis and pods have more of than before, in words.
    package static func differences(_ before: Rest, _ after: Rest) -> [String] {
        let keys = after.keys.leftovers(since: before.keys)
        let growth = after.freeBytes - before.freeBytes
        let memory = growth > SoakPlan.redisNoiseBytes ? ["Redis holds \(megabytes(growth)) MB more than before"] : []
        return keys + memory + podDifferences(before, after)
    }

    /// What says in Redis that somebody is connected, in words.
    package static func connections(_ rest: Rest) -> [String] {
        ["notif:clients:", "notif:conn:", "notif:lock:consumer:"].compactMap { prefix in
            rest.keys.counts[prefix].map { "\($0) keys \(prefix)" }
        }
    }

    package static func podDifferences(_ before: Rest, _ after: Rest) -> [String] {
        func differences(_ name: String, _ value: (ProcessStatus) -> Int, noise: Int) -> [String] {
            // A process that was started meanwhile is measured by the others.
            let most = (before.pods.values.map(value).max() ?? 0) + noise
            return after.pods.sorted { $0.key < $1.key }.filter { value($0.value) > most }.map { pod, status in
                "\(pod) has \(value(status)) \(name) instead of at most \(most)"
            }
        }
        return differences("open descriptors", \.descriptors, noise: SoakPlan.descriptorNoise)
            + differences("threads", \.threads, noise: SoakPlan.threadNoise)
    }

    package var growths: [Growth] { record.lives.map(growth) }

    /// The steady part begins when both the run and the process are warm, and ends with the load.
    private func growth(_ life: ProcessLife) -> Growth {
        let start = max(load.lowerBound, life.samples.first?.second ?? 0) + plan.warmUp
        let steady = life.samples.filter { $0.second >= start && $0.second <= load.upperBound }
            .map { Point($0.second, Double($0.status.residentBytes)) }
        let troubled = events.map { $0.begin...$0.end + SoakPlan.settling }
        let slope = Slope(steady.stretches(without: troubled))
        let isLong = (slope?.length ?? 0) >= SoakPlan.shortestLife * plan.seconds
        return Growth(life: life, slope: isLong ? slope : nil)
    }

    // MARK: - Text

    package var text: String {
        let length = Self.round(load.upperBound - load.lowerBound)
        let work =
            "\(record.deliveries) deliveries of \(record.posts) posts, and \(visits) visits of guests, in \(length) s"
        var lines = ["soak: \(isGreen ? "green" : "RED")", work, ""]
        lines += Self.table(
            ["memory of pods, MB", "first", "most", "last", "steady s", "slope", "per delivery", "growth"],
            growths.map(row)
        )
        lines += [""] + Self.table(["idle pods", "before", "in the end"], podRows)
        lines +=
            [""] + Self.table(["Redis", "before", "most", "all have left", "\(SoakPlan.days) days later"], redisRows)
        lines += [""] + Self.table(["keys", "before", "most", "all have left", "\(SoakPlan.days) days later"], keyRows)
        if !isGreen { lines += [""] + faults.map { "  \($0)" } }
        return lines.joined(separator: "\n") + "\n"
    }

    private func row(_ growth: Growth) -> [String] {
        let bytes = growth.life.samples.map(\.status.residentBytes)
        let row = [
            "\(growth.life.pod) (\(growth.life.id))", Self.megabytes(bytes.first ?? 0),
            Self.megabytes(bytes.max() ?? 0),
            Self.megabytes(bytes.last ?? 0),
        ]
        guard let slope = growth.slope else { return row + ["too short", "", "", ""] }
        return row + [
            Self.round(slope.length), Self.rate(slope), "\(Self.round(slope.perSecond / max(deliveriesPerPod, 1))) B",
            Self.megabytes(Int(slope.growth)),
        ]
    }

    /// A second's deliveries of one of the pods, which share them evenly as devices move about.
    private var deliveriesPerPod: Double {
        Double(record.deliveries) / (load.upperBound - load.lowerBound) / Double(max(1, before.pods.count))
    }

    private var podRows: [[String]] {
        [("descriptors", \ProcessStatus.descriptors), ("threads", \.threads)].map { name, value in
            [before, after].reduce([name]) { row, rest in
                row + [
                    rest.pods.sorted { $0.key < $1.key }.map { "\($0.value[keyPath: value])" }.joined(separator: " ")
                ]
            }
        }
    }

    private var redisRows: [[String]] {
        let most = record.redis.map(\.usedBytes).max() ?? 0
        let rests = [before, left, after]
        func row(_ name: String, _ most: String, _ value: (Rest) -> String) -> [String] {
            var cells = rests.map(value)
            cells.insert(most, at: 1)
            return [name] + cells
        }
        return [
            row("used, MB", Self.megabytes(most)) { Self.megabytes($0.redisBytes) },
            row("of that buses and recent users, MB", "") { Self.megabytes($0.boundedBytes) },
            row("resident, MB", Self.megabytes(record.redis.map(\.residentBytes).max() ?? 0)) { _ in "" },
            row("clients", "\(record.redis.map(\.clients).max() ?? 0)") { _ in "" },
            row("keys", "\(record.redis.map(\.keys).max() ?? 0)") { "\($0.keys.total)" },
        ]
    }

    private var keyRows: [[String]] {
        let censuses = [before.keys, record.mostKeys, left.keys, after.keys]
        let prefixes = Set(censuses.flatMap(\.counts.keys)).sorted()
        return prefixes.map { prefix in
            let reason = KeyCensus.kinds.first { $0.prefix == prefix && after.keys.counts[prefix] != nil }?.reason ?? ""
            return [prefix] + censuses.map { "\($0.counts[prefix] ?? 0)" } + [reason]
        }
    }

    // MARK: - Parts

    private static func rate(_ slope: Slope?) -> String { "\(round((slope?.perSecond ?? 0))) B/s" }

    /// With one decimal below ten.
    private static func round(_ value: Double) -> String {
        guard abs(value) < 10 else { return "\(Int(value.rounded()))" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    private static func megabytes(_ bytes: Int) -> String {
        let hundredths = Int((Double(bytes) / 1_048_576 * 100).rounded())
        let rest = abs(hundredths) % 100
        return "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> [String] {
        let rows = [head] + rows
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell -> String in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                // Names and, behind the numbers, reasons stand on the left.
                return column == 0 || column >= head.count ? cell + padding : padding + cell
            }
            return String(("  " + cells.joined(separator: "  ")).reversed().drop { $0 == " " }.reversed())
        }
    }
}
