import Foundation

/// Results for people: medians by cell and hub, and how the hubs compare.
package enum ResultTable {
    private struct Column: Sendable {
        let title: String
        let text: @Sendable (CellResult) -> String?
    }

    private static let columns = [
        Column(title: "per s") { $0.deliveredPerSecond.map { number($0, 0) } },
        Column(title: "lost") { $0.lost.map(String.init) },
        Column(title: "twice") { $0.duplicated.map(String.init) },
        Column(title: "disorder") { $0.disordered.map(String.init) },
        Column(title: "errors") { $0.errors.map(String.init) },
        Column(title: "p50 ms") { $0.latency.map { number($0.p50, 2) } },
        Column(title: "p90") { $0.latency.map { number($0.p90, 2) } },
        Column(title: "p99") { $0.latency.map { number($0.p99, 2) } },
        Column(title: "p99.9") { $0.latency.map { number($0.p999, 1) } },
        Column(title: "max") { $0.latency.map { number($0.max, 1) } },
        Column(title: "hub us") { $0.hubMicroseconds.map { number($0, 1) } },
        Column(title: "redis us") { $0.redisMicroseconds.map { number($0, 1) } },
        Column(title: "commands") { $0.redisCommands.map { number($0, 2) } },
        Column(title: "load us") { $0.loadMicroseconds.map { number($0, 1) } },
        Column(title: "B/socket") { $0.bytesPerSocket.map { number($0, 0) } },
        Column(title: "connect us") { $0.connectMicroseconds.map { number($0, 0) } },
        Column(title: "idle %") { $0.idleCores.map { number($0 * 100, 2) } },
        Column(title: "back s") { $0.backSeconds.map { number($0, 2) } },
        Column(title: "recovered s") { $0.recoveredSeconds.map { number($0, 2) } },
        Column(title: "other") { $0.otherCores.map { number($0, 2) } },
    ]

    /// Everything that one measurement says, in a line.
    static func line(_ result: CellResult) -> String {
        columns.compactMap { column in column.text(result).map { "\(column.title) \($0)" } }.joined(separator: ", ")
    }

    /// A markdown table of the medians, without columns that say nothing; then, where rivals took part, the ratios to them.
    package static func text(_ results: [CellResult]) -> String {
        let medians = medians(results)
        let used = columns.filter { column in medians.contains { column.text($0) != nil } }
        var rows = [["cell", "hub"] + used.map(\.title)]
        rows += medians.map { result in [result.cell, result.hub] + used.map { $0.text(result) ?? "" } }
        let ratios = ratios(medians)
        return ratios.isEmpty ? markdown(rows) : "\(markdown(rows))\n\n\(markdown(ratios))"
    }

    /// Carillon against each rival: rates as its share of theirs, everything else as theirs against its own, so that more is better.
    private static func ratios(_ medians: [CellResult]) -> [[String]] {
        let ratios: [(title: String, value: (CellResult) -> Double?, moreIsBetter: Bool)] = [
            ("per s", { $0.deliveredPerSecond }, true), ("p50", { $0.latency?.p50 }, false),
            ("p99", { $0.latency?.p99 }, false), ("hub us", { $0.hubMicroseconds }, false),
            ("redis us", { $0.redisMicroseconds }, false), ("B/socket", { $0.bytesPerSocket }, false),
            ("connect us", { $0.connectMicroseconds }, false), ("recovered s", { $0.recoveredSeconds }, false),
        ]
        var rows: [[String]] = []
        for own in medians where own.hub == HubKind.carillon.rawValue {
            for rival in medians where rival.cell == own.cell && rival.hub != own.hub {
                let cells = ratios.map { ratio -> String in
                    guard let mine = ratio.value(own), let theirs = ratio.value(rival), mine > 0, theirs > 0 else {
                        return ""
                    }
                    return number(ratio.moreIsBetter ? mine / theirs : theirs / mine, 2) + "x"
                }
                rows.append([own.cell, "better than \(rival.hub)"] + cells)
            }
        }
        return rows.isEmpty ? [] : [["cell", ""] + ratios.map(\.title)] + rows
    }

    private static func markdown(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                let space = String(repeating: " ", count: widths[index] - cell.count)
                return index < 2 ? cell + space : space + cell
            }
            return "| \(padded.joined(separator: " | ")) |"
        }
        let rule = widths.enumerated().map { index, width in
            index < 2 ? String(repeating: "-", count: width) : String(repeating: "-", count: width - 1) + ":"
        }
        return ([line(rows[0]), line(rule)] + rows.dropFirst().map(line)).joined(separator: "\n")
    }

    private static func number(_ value: Double, _ digits: Int) -> String {
        let text = String(format: "%.\(digits)f", abs(value))
        guard digits == 0, text.count > 3 else { return value < 0 ? "-\(text)" : text }
        let groups = stride(from: 0, to: text.count, by: 3).reversed().map { start in
            text.dropLast(start).suffix(3)
        }
        return (value < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    // MARK: - Medians

    /// One result for each cell and hub, in the order in which they came.
    static func medians(_ results: [CellResult]) -> [CellResult] {
        var groups: [(key: String, results: [CellResult])] = []
        for result in results {
            let key = "\(result.cell) \(result.hub)"
            if let index = groups.firstIndex(where: { $0.key == key }) {
                groups[index].results.append(result)
            } else {
                groups.append((key, [result]))
            }
        }
        return groups.map { median($0.results) }
    }

    /// Faults are added up; of everything else it is the median, each figure by itself.
    private static func median(_ results: [CellResult]) -> CellResult {
        func median(_ value: (CellResult) -> Double?) -> Double? {
            let values = results.compactMap(value).sorted()
            guard !values.isEmpty else { return nil }
            let middle = values.count / 2
            return values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
        }
        func sum(_ value: (CellResult) -> Int?) -> Int? {
            let values = results.compactMap(value)
            return values.isEmpty ? nil : values.reduce(0, +)
        }
        var result = results[0]
        result.deliveredPerSecond = median(\.deliveredPerSecond)
        result.acceptedPerSecond = median(\.acceptedPerSecond)
        result.lost = sum(\.lost)
        result.duplicated = sum(\.duplicated)
        result.disordered = sum(\.disordered)
        result.errors = sum(\.errors)
        if result.latency != nil {
            result.latency = CellResult.Latency(
                p50: median { $0.latency?.p50 } ?? 0,
                p90: median { $0.latency?.p90 } ?? 0,
                p99: median { $0.latency?.p99 } ?? 0,
                p999: median { $0.latency?.p999 } ?? 0,
                max: median { $0.latency?.max } ?? 0
            )
        }
        result.hubMicroseconds = median(\.hubMicroseconds)
        result.redisMicroseconds = median(\.redisMicroseconds)
        result.loadMicroseconds = median(\.loadMicroseconds)
        result.redisCommands = median(\.redisCommands)
        result.bytesPerSocket = median(\.bytesPerSocket)
        result.connectMicroseconds = median(\.connectMicroseconds)
        result.idleCores = median(\.idleCores)
        result.backSeconds = median(\.backSeconds)
        result.recoveredSeconds = median(\.recoveredSeconds)
        result.otherCores = median(\.otherCores)
        return result
    }
}
