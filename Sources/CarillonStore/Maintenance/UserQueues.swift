package import CarillonDomain
package import CarillonRedis

/// Which users need a look: what workers take their work from.
///
/// The time is Redis's: a pod with a wrong clock would pop users before anything of theirs has expired.
///
/// - Isolation: any task
package struct UserQueues: Sendable {
    private let redis: RedisClient
    private let settings: StoreSettings

    /// How far back a worker looks for sets that nobody worked off.
    private static let slotsKept: UInt64 = 360
    private static let daysKept: UInt64 = 16
    private static let sweepCountPerScan = 500

    package init(redis: RedisClient, settings: StoreSettings) {
        self.redis = redis
        self.settings = settings
    }

    /// Users with payloads that have expired.
    package func expired() async throws(StoreError) -> DueUsers {
        let slot = try await redis.milliseconds() / Keys.slotMilliseconds
        return try await due(slot - Self.slotsKept...slot) { Keys.expired(slot: $0, $1) }
    }

    /// Users whose oldest entries may have reached the end of their retention.
    package func trimming() async throws(StoreError) -> DueUsers {
        let day = try await redis.milliseconds() / UserKeeper.dayMilliseconds
        return try await due(day - Self.daysKept...day) { Keys.trimming(day: $0, $1) }
    }

    /// Looks which of the keys there are; most there are not.
    private func due(
        _ times: ClosedRange<UInt64>,
        _ key: (UInt64, UserShard) -> RedisKey
    ) async throws(StoreError) -> DueUsers {
        let keys = times.flatMap { time in redis.shards.map { key(time, $0) } }
        let exist = try await redis.replies(keys.map { RedisCommand("EXISTS", .key($0)) })
        return DueUsers(redis: redis, keys: zip(keys, exist).filter { $0.1.integer == 1 }.map(\.0))
    }

    /// Has the trimmer look at a user again, the day after `milliseconds`.
    package func scheduleTrim(of user: UserKey, at milliseconds: UInt64) async throws(StoreError) {
        let key = Keys.trimming(day: milliseconds / UserKeeper.dayMilliseconds + 1, redis.shard(of: user))
        _ = try await redis.replies([
            RedisCommand("SADD", .key(key), .text(user.text)),
            RedisCommand("EXPIRE", .key(key), .integer(34 * 86_400)),
        ])
    }

    /// Notes a user that was found with unread entries, for the admin lists.
    package func note(_ user: UserKey, newest: StreamID) async throws(StoreError) {
        let key = Keys.recentUsers(redis.shard(of: user))
        _ = try await redis.replies([
            RedisCommand("ZADD", .key(key), .text("GT"), .text("\(newest.milliseconds)"), .text(user.text))
        ])
    }

    // MARK: - The sweep

    /// Takes or keeps the right to sweep; one pod of the cluster has it.
    package func maySweep(forSeconds seconds: Int) async throws(StoreError) -> Bool {
        let reply = try await redis.replies([
            RedisCommand(
                "SET",
                .key(Keys.sweeper),
                .text(settings.podID),
                .text("NX"),
                .text("GET"),
                .text("EX"),
                .integer(seconds)
            )
        ])[0]
        guard let holder = reply.string else { return true }
        guard holder == settings.podID else { return false }
        _ = try await redis.replies([RedisCommand("EXPIRE", .key(Keys.sweeper), .integer(seconds))])
        return true
    }

    /// Where the last sweep stopped.
    package func sweepPlace() async throws(StoreError) -> SweepPlace {
        let text = try await redis.replies([RedisCommand("GET", .key(Keys.sweepCursor))])[0].string
        return text.map(SweepPlace.init) ?? .start
    }

    /// The next streams of the sweep, and where it goes on; nil: it is through.
    package func sweep(from place: SweepPlace) async throws(StoreError) -> (users: [UserKey], next: SweepPlace?) {
        let nodes = await redis.nodes()
        // A server that is gone was swept as far as it could be.
        guard let node = nodes.first(where: { $0 >= place.node }) else { return ([], nil) }
        let reply = try await scan(from: node == place.node ? place.cursor : "0", on: node)
        guard reply.count == 2, let cursor = reply[0].string else { return ([], nil) }
        var next: SweepPlace? = SweepPlace(cursor: cursor, node: node)
        if cursor == "0" { next = nodes.first { $0 > node }.map { SweepPlace(cursor: "0", node: $0) } }
        let text = (next ?? .start).text
        _ = try await redis.replies([RedisCommand("SET", .key(Keys.sweepCursor), .text(text), "EX", .integer(86_400))])
        let keys = (reply[1].array ?? []).compactMap(\.string)
        return (keys.compactMap { $0.rest(behind: Keys.streamPrefix).flatMap { UserKey(text: $0) } }, next)
    }

    private func scan(from cursor: String, on node: RedisNode) async throws(StoreError) -> [RedisValue] {
        let count = RedisArgument.integer(Self.sweepCountPerScan)
        let scan = RedisCommand("SCAN", .text(cursor), "MATCH", .text("\(Keys.streamPrefix)*"), "COUNT", count)
        return try await redis.replies([scan], on: node)[0].array ?? []
    }
}

/// Where a sweep over all streams stands.
package struct SweepPlace: Sendable, Equatable {
    package static let start = SweepPlace(cursor: "0", node: .single)

    /// Of SCAN.
    let cursor: String
    let node: RedisNode

    init(cursor: String, node: RedisNode) {
        self.cursor = cursor
        self.node = node
    }

    /// Parses what `text` gave.
    init(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1)
        self.init(cursor: parts.first.map(String.init) ?? "0", node: RedisNode(id: parts.dropFirst().first ?? ""))
    }

    var text: String { node == .single ? cursor : "\(cursor) \(node.id)" }
}
