package import CarillonDomain
package import CarillonRedis

/// Which users need a look: what workers take their work from.
///
/// The time is Redis's: a pod with a wrong clock would pop users before anything of theirs has expired. Users are popped, so that
/// pods share the work without doing it twice. What a pod popped and did not finish, the sweep finds.
///
/// - Isolation: any task
package struct UserQueues: Sendable {
    private let redis: RedisClient
    private let settings: StoreSettings

    private static let batch = 128
    /// How far back a worker looks for sets that nobody worked off.
    private static let slotsKept: UInt64 = 360
    private static let daysKept: UInt64 = 16
    private static let sweepCountPerScan = 500

    package init(redis: RedisClient, settings: StoreSettings) {
        self.redis = redis
        self.settings = settings
    }

    /// Users with payloads that have expired; empty when there are none left.
    package func popExpired() async throws(StoreError) -> [UserKey] {
        let slot = try await redis.milliseconds() / Keys.slotMilliseconds
        return try await pop(
            (slot - Self.slotsKept...slot).flatMap { slot in redis.shards.map { Keys.expired(slot: slot, $0) } }
        )
    }

    /// Users whose oldest entries may have reached the end of their retention.
    package func popTrimming() async throws(StoreError) -> [UserKey] {
        let day = try await redis.milliseconds() / UserKeeper.dayMilliseconds
        return try await pop(
            (day - Self.daysKept...day).flatMap { day in redis.shards.map { Keys.trimming(day: day, $0) } }
        )
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

    private func pop(_ keys: [RedisKey]) async throws(StoreError) -> [UserKey] {
        let sizes = try await redis.replies(keys.map { RedisCommand("EXISTS", .key($0)) })
        for (key, size) in zip(keys, sizes) where size.integer == 1 {
            let members =
                try await redis.replies([RedisCommand("SPOP", .key(key), .integer(Self.batch))])[0].array ?? []
            let users = members.compactMap { $0.string.flatMap { UserKey(text: $0) } }
            if !users.isEmpty { return users }
        }
        return []
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
        return (keys.compactMap { UserKey(text: $0.dropFirst(Keys.streamPrefix.count)) }, next)
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
