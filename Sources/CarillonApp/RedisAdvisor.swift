import CarillonRedis
import CarillonStore
import Logging
import ServiceLifecycle

/// Looks once, at the start, at how Redis is set up, at all servers of a cluster, and says what a 202 therefore means.
///
/// It stays until its turn to stop: a group that shuts down takes a service that ends before its turn for a failure.
struct RedisAdvisor: Service {
    let redis: RedisClient
    let logger: Logger

    /// Thrown where Redis is too old to be used.
    struct TooOld: Error, CustomStringConvertible {
        let version: String
        var description: String { "Redis \(version) is too old; Carillon needs 7.0 or newer" }
    }

    private static let oldest = (major: 7, minor: 0)
    private static let retry = Duration.milliseconds(250)

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await self.advise() }
        try await gracefulShutdown()
    }

    private func advise() async throws {
        while !Task.isCancelled {
            let nodes = await redis.nodes()
            var judged = 0
            for node in nodes {
                guard let facts = await facts(node) else { break }
                try judge(facts, fsync: await fsync(node))
                judged += 1
            }
            if judged == nodes.count, judged > 0 { return }
            try? await Task.sleep(for: Self.retry)
        }
    }

    /// The fields of INFO; nil while Redis is away.
    private func facts(_ node: RedisNode) async -> [Substring: Substring]? {
        guard let text = try? await redis.pipeline([RedisCommand("INFO", "everything")], on: node)[0].string else {
            return nil
        }
        let lines = text.split { $0.isNewline }.map { $0.split(separator: ":", maxSplits: 1) }
        return Dictionary(lines.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first }
    }

    /// `unknown` where CONFIG is forbidden, as it is with some providers.
    private func fsync(_ node: RedisNode) async -> String {
        let reply = try? await redis.pipeline([RedisCommand("CONFIG", "GET", "appendfsync")], on: node)[0].array
        return reply?.last?.string ?? "unknown"
    }

    private func judge(_ facts: [Substring: Substring], fsync: String) throws {
        let version = String(facts["redis_version"] ?? "0")
        let numbers = version.split(separator: ".").compactMap { Int($0) }
        guard let major = numbers.first, (major, numbers.dropFirst().first ?? 0) >= Self.oldest else {
            throw TooOld(version: version)
        }
        let policy = facts["maxmemory_policy"] ?? "noeviction"
        if policy != "noeviction" {
            logger.warning(
                "Redis may evict notifications that were accepted; set maxmemory-policy noeviction",
                metadata: ["maxmemory-policy": "\(policy)"]
            )
        }
        logger.info("Redis \(version): \(Self.promise(facts, fsync: fsync))")
    }

    /// What is left of an accepted notification after Redis itself has crashed.
    private static func promise(_ facts: [Substring: Substring], fsync: String) -> String {
        guard facts["aof_enabled"] == "1" else {
            return "a 202 means stored in memory; "
                + "without appendonly a restart of Redis loses what the last snapshot lacks"
        }
        return switch fsync {
        case "always": "a 202 means stored and on disk (appendfsync always)"
        case "everysec": "a 202 means stored; a crash of Redis loses at most 2 s (appendfsync everysec)"
        default:
            "a 202 means stored; "
                + "a crash of the machine loses what its kernel had not written (appendfsync \(fsync))"
        }
    }
}
