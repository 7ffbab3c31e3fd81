internal import CarillonTestSupport

/// How many keys of each kind Redis holds.
package struct KeyCensus: Sendable, Equatable {
    /// A kind of keys, by what their names begin with.
    package struct Kind: Sendable {
        package let prefix: String
        /// Keys of this kind that may be there when nobody is, beside those of the running pods.
        package let mayStay: Int
        /// Why that is, or why there are any before the load.
        package let reason: String

        fileprivate init(_ prefix: String, mayStay: Int = 0, _ reason: String = "") {
            self.prefix = prefix
            self.mayStay = mayStay
            self.reason = reason
        }
    }

    /// - Source: docs/PROTOCOL.md, "Redis keys"
    package static let kinds: [Kind] = [
        Kind("stream:user:"), Kind("notification:"), Kind("notification_state:"), Kind("notif:inbox:"),
        Kind("notif:receipts:"), Kind("notif:topic:"), Kind("notif:topics:"), Kind("notif:snoozed"),
        Kind("notif:lock:consumer:"), Kind("notif:retention:"), Kind("notif:conn:"), Kind("notif:clients:"),
        Kind("notif:idem:"), Kind("notif:expired:"), Kind("notif:trimming:"),
        Kind("notif:bus:", "one for each pod, of bounded length"), Kind("notif:pods:hb", "one for all pods"),
        Kind("notif:pod:", "one for each pod"),
        Kind("notif:users:recent", mayStay: 1, "the 100,000 users that were notified last"),
        Kind("notif:sweeper", mayStay: 1, "there while a pod sweeps"),
        Kind("notif:sweep:cursor", mayStay: 1, "where the sweep goes on"),
    ]

    /// By the kind's prefix; keys of no kind stand under what their names begin with.
    package private(set) var counts: [String: Int] = [:]

    package init() {}

    package var total: Int { counts.values.reduce(0, +) }

    package mutating func add(_ key: String) {
        let fitting = Self.kinds.filter { key.hasPrefix($0.prefix) }.max { $0.prefix.count < $1.prefix.count }
        let name = fitting?.prefix ?? key.lastIndex(of: ":").map { String(key[...$0]) } ?? key
        counts[name, default: 0] += 1
    }

    /// The larger of both counts, kind by kind.
    package mutating func raise(to other: KeyCensus) { counts.merge(other.counts) { max($0, $1) } }

    /// What is there beyond `before` and may not be, in words; empty where everything is as it was.
    package func leftovers(since before: KeyCensus) -> [String] {
        counts.sorted { $0.key < $1.key }.compactMap { prefix, count in
            let mayStay = Self.kinds.first { $0.prefix == prefix }?.mayStay ?? 0
            let allowed = max(before.counts[prefix] ?? 0, mayStay)
            return count > allowed ? "\(count) keys \(prefix) instead of \(allowed)" : nil
        }
    }
}

/// What Redis needs at a moment.
package struct RedisSample: Sendable {
    package let second: Double
    /// What Redis has allocated, and what its process holds for that.
    package let usedBytes: Int
    package let residentBytes: Int
    package let keys: Int
    package let clients: Int
}

/// Asks Redis what it holds, past the proxies.
///
/// - Isolation: the task that made it
/// - Source: Redis commands INFO, DBSIZE, SCAN, MEMORY USAGE
final class RedisMeter {
    private static let scanCount = 2_000

    private let redis: WireRedis

    init(port: Int) throws { redis = try WireRedis(port: port) }

    func sample(second: Double) async throws -> RedisSample {
        var values: [Substring: Int] = [:]
        for section in ["memory", "clients"] {
            for line in try await redis(["INFO", section]).string?.split(whereSeparator: \.isNewline) ?? [] {
                guard let colon = line.firstIndex(of: ":") else { continue }
                values[line[..<colon]] = Int(line[line.index(after: colon)...])
            }
        }
        return RedisSample(
            second: second,
            usedBytes: values["used_memory"] ?? 0,
            residentBytes: values["used_memory_rss"] ?? 0,
            keys: try await redis(["DBSIZE"]).int ?? 0,
            clients: values["connected_clients"] ?? 0
        )
    }

    func census() async throws -> KeyCensus {
        var census = KeyCensus()
        var cursor = "0"
        repeat {
            let answer = try await redis(["SCAN", cursor, "COUNT", "\(Self.scanCount)"]).array
            cursor = answer.first?.string ?? "0"
            for key in answer.last?.strings ?? [] { census.add(key) }
        } while cursor != "0"
        return census
    }

    /// Bytes of what has a bound of its own, however long the load lasts: the pods' buses, and the list of recent users.
    func boundedBytes(pods: [String]) async throws -> Int {
        var sum = 0
        for key in pods.map({ "notif:bus:\($0)" }) + ["notif:users:recent"] {
            sum += try await redis(["MEMORY", "USAGE", key, "SAMPLES", "0"]).int ?? 0
        }
        return sum
    }
}

@available(*, unavailable)
extension RedisMeter: Sendable {}
