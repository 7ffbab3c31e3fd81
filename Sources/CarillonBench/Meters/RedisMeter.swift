internal import CarillonTestSupport

/// Commands that a Redis has carried out.
///
/// - Source: Redis command INFO, sections commandstats and stats
struct RedisMeter: Sendable {
    let port: Int

    /// All commands, those within scripts included; by name, in lower case.
    func calls() async throws -> [String: Int] {
        let info = try await WireRedis(port: port)(["INFO", "commandstats"]).string ?? ""
        var calls: [String: Int] = [:]
        for line in info.split(whereSeparator: \.isNewline) {
            guard line.hasPrefix("cmdstat_"), let colon = line.firstIndex(of: ":") else { continue }
            let name = line[line.index(line.startIndex, offsetBy: 8)..<colon]
            let count = line[colon...].dropFirst().split(separator: ",").first?.dropFirst("calls=".count)
            calls[String(name)] = count.flatMap { Int($0) }
        }
        return calls
    }
}
