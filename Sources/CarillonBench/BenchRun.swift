internal import Glibc

/// Measures cells, round by round and hub after hub, so that a machine that slows down slows all of them.
package struct BenchRun: Sendable {
    private let options: BenchOptions
    private let say: @Sendable (String) -> Void

    /// - Parameter say: Prints a line of progress.
    package init(_ options: BenchOptions, say: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.say = say
    }

    /// What was measured, and how many cells could not be.
    package struct Report: Sendable {
        package var results: [CellResult] = []
        package var failures = 0

        package var isFaultless: Bool { failures == 0 && results.allSatisfy(\.isFaultless) }
    }

    /// - Throws: where nothing can be measured at all; a cell that fails is told and left out.
    package func run() async throws -> Report {
        Self.raiseFileLimit()
        var report = Report()
        for round in 1...options.rounds {
            for cell in options.cells {
                for hub in hubs(for: cell) {
                    let turn = options.rounds > 1 ? ", round \(round)" : ""
                    let label = "\(cell.name), \(hub.name)\(turn)"
                    say("\(label): \(cell.summary)")
                    do {
                        let result = try await measure(cell, hub)
                        say("    \(ResultTable.line(result))")
                        report.results.append(result)
                    } catch {
                        report.failures += 1
                        say("    failed: \(error)")
                    }
                }
            }
        }
        guard !report.results.isEmpty else { throw BenchError("nothing was measured") }
        return report
    }

    private func hubs(for cell: Cell) -> [any Hub] {
        if let remote = options.remote { return cell.isRemote ? [remote] : [] }
        return options.hubs.filter { $0 == .carillon || cell.rivals.contains($0) }.map { $0.make(for: cell) }
    }

    private func measure(_ cell: Cell, _ hub: any Hub) async throws -> CellResult {
        do {
            try await hub.start()
            var result = CellResult(hub: hub.name, cell: cell.name)
            try await cell.work.run(hub, &result, BenchPace(factor: options.pace))
            await hub.stop()
            return result
        } catch {
            await hub.stop()
            throw error
        }
    }

    /// Each device needs a descriptor here and one in the hub, which inherits the limit.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
