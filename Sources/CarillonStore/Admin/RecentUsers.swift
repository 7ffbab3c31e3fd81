import CarillonDomain
import CarillonRedis

/// Walks over the users that were notified, the last ones first, and those of one moment in descending order of their names.
///
/// In a cluster each shard is read a page at a time, and the pages are merged.
struct RecentUsers {
    struct Row: Comparable {
        let key: UserKey
        /// Milliseconds since 1970 at which he was notified.
        let score: UInt64

        static func < (left: Row, right: Row) -> Bool {
            guard left.score == right.score else { return left.score < right.score }
            return left.key.text.utf8.lexicographicallyPrecedes(right.key.text.utf8)
        }
    }

    private struct Part {
        let key: RedisKey
        /// What was read and not listed yet, the next row last.
        var rows: [Row] = []
        /// Members that were read.
        var offset = 0
        /// There may be more to read.
        var goesOn = true
    }

    private let redis: RedisClient
    private let highestScore: UInt64?
    private var parts: [Part]

    /// Users of a page.
    static let page = 64

    /// - Parameter highestScore: Users with a higher one are left out; nil: nobody is.
    init(redis: RedisClient, from highestScore: UInt64?) {
        self.redis = redis
        self.highestScore = highestScore
        self.parts = redis.shards.map { Part(key: Keys.recentUsers($0)) }
    }

    /// The next users; empty when all were listed.
    mutating func next() async throws(StoreError) -> [Row] {
        var users: [Row] = []
        while users.count < Self.page {
            while parts.contains(where: { $0.rows.isEmpty && $0.goesOn }) { try await readOn() }
            let firsts = parts.indices.compactMap { index in parts[index].rows.last.map { (index, $0) } }
            guard let (index, user) = firsts.max(by: { $0.1 < $1.1 }) else { return users }
            parts[index].rows.removeLast()
            users.append(user)
        }
        return users
    }

    /// Reads a page of each part of which nothing is left.
    private mutating func readOn() async throws(StoreError) {
        let indices = parts.indices.filter { parts[$0].rows.isEmpty && parts[$0].goesOn }
        let replies = try await redis.replies(
            indices.map { index in
                RedisCommand(
                    "ZREVRANGEBYSCORE",
                    .key(parts[index].key),
                    .text(highestScore.map { String($0) } ?? "+inf"),
                    "-inf",
                    "WITHSCORES",
                    "LIMIT",
                    .integer(parts[index].offset),
                    .integer(Self.page)
                )
            }
        )
        for (index, reply) in zip(indices, replies) {
            let values = reply.array ?? []
            parts[index].offset += values.count / 2
            parts[index].goesOn = values.count == 2 * Self.page
            parts[index].rows = stride(from: 0, to: values.count - 1, by: 2).reversed().compactMap {
                Self.row(values[$0], values[$0 + 1])
            }
        }
    }

    private static func row(_ member: RedisValue, _ score: RedisValue) -> Row? {
        guard let key = member.string.flatMap({ UserKey(text: $0) }) else { return nil }
        // A score that another program wrote may be no time at all.
        let time = score.string.flatMap { Double($0) }.flatMap { UInt64(exactly: $0.rounded(.down)) }
        return Row(key: key, score: time ?? 0)
    }
}
