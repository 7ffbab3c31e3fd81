package import CarillonDomain
package import CarillonRedis
import NIOCore

/// What a user, or a sender, does with notifications besides reading them.
///
/// - Isolation: any task
package struct InboxWriter: Sendable {
    let redis: RedisClient
    let settings: StoreSettings

    /// A payload outlives the end of its snooze by so much at least.
    static let afterSnooze: UInt64 = 900_000

    package init(redis: RedisClient, settings: StoreSettings) {
        self.redis = redis
        self.settings = settings
    }

    // MARK: - Marks

    /// Sets a mark; one that is there keeps its time.
    ///
    /// - Returns: Those that did not have it.
    @discardableResult
    package func mark(
        _ kind: InboxMarks.Kind,
        _ entries: [EntryReference],
        at time: UInt64,
        of user: UserKey
    ) async throws(StoreError) -> [EntryReference] {
        let replies = try await redis.replies(
            entries.map {
                RedisCommand(
                    "HSETNX",
                    .key(Keys.marks(user)),
                    .text(kind.field($0.notificationID)),
                    .text("\(time)")
                )
            }
        )
        return zip(entries, replies).filter { $0.1.integer == 1 }.map(\.0)
    }

    package func unmark(
        _ kind: InboxMarks.Kind,
        _ entry: EntryReference,
        of user: UserKey
    ) async throws(StoreError) {
        _ = try await redis.replies([
            RedisCommand("HDEL", .key(Keys.marks(user)), .text(kind.field(entry.notificationID)))
        ])
    }

    /// Hides an entry until `until`, and has its payload live a while longer.
    ///
    /// - Source: Redis command PEXPIREAT, option GT
    package func snooze(_ entry: EntryReference, until: UInt64, of user: UserKey) async throws(StoreError) {
        let end = until + Self.afterSnooze
        let slot = end / Keys.slotMilliseconds + 1
        let shard = redis.shard(of: user)
        _ = try await redis.replies([
            RedisCommand(
                "PEXPIREAT",
                .key(Keys.payload(entry.notificationID)),
                .text("\(end)"),
                .text("GT")
            ),
            // The janitor has to come by at the new end of the payload.
            RedisCommand("SADD", .key(Keys.expired(slot: slot, shard)), .text(user.text)),
            RedisCommand(
                "EXPIREAT",
                .key(Keys.expired(slot: slot, shard)),
                .text("\(slot * Keys.slotMilliseconds / 1_000 + 3_600)")
            ),
            RedisCommand("ZADD", .key(Keys.snoozed(shard)), .text("\(until)"), .text(UserEntry(user, entry).text)),
            RedisCommand(
                "HSET",
                .key(Keys.marks(user)),
                .text(InboxMarks.Kind.snoozed.field(entry.notificationID)),
                .text("\(until)")
            ),
        ])
    }

    /// Makes an entry unread again, and pending for the consumer group.
    ///
    /// - Source: Redis command XCLAIM, option FORCE
    package func markUnread(_ entry: EntryReference, of user: User) async throws(StoreError) {
        let replies = try await redis.replies([
            RedisCommand("HDEL", .key(Keys.state(user.key)), .text(entry.notificationID.text)),
            RedisCommand(
                "HDEL",
                .key(Keys.receipts(user.key)),
                .text("\(entry.notificationID.text):\(Receipt.Field.read)")
            ),
        ])
        guard replies[0].integer == 1 else { return }
        // The pending list is a mirror: where there is no group yet, there is none to put right.
        _ = try await redis.tolerantReplies([
            RedisCommand(
                "XCLAIM",
                .key(Keys.stream(user.key)),
                .text("\(Keys.group)"),
                .text(user.consumer),
                0,
                .text("\(entry.streamID)"),
                "FORCE",
                "JUSTID"
            )
        ])
    }

    /// Keeps the time of a first reading.
    package func keepReadTime(_ entries: [EntryReference], at time: UInt64, of user: UserKey) async throws(StoreError) {
        _ = try await redis.replies(
            entries.map {
                RedisCommand(
                    "HSETNX",
                    .key(Keys.receipts(user)),
                    .text("\($0.notificationID.text):\(Receipt.Field.read)"),
                    .text("\(time)")
                )
            }
        )
    }

    // MARK: - Removing

    /// Removes an entry, its payload and all that is known of it.
    ///
    /// - Returns: Whether it was this call that removed it.
    package func remove(_ entry: EntryReference, of user: UserKey) async throws(StoreError) -> Bool {
        try await remove([UserEntry(user, entry)]).count == 1
    }

    /// - Returns: Those that this call removed.
    private func remove(_ entries: [UserEntry]) async throws(StoreError) -> [UserEntry] {
        var commands: [RedisCommand] = []
        for one in entries {
            let (id, streamID) = (one.entry.notificationID, "\(one.entry.streamID)")
            commands += [
                RedisCommand("XDEL", .key(Keys.stream(one.user)), .text(streamID)),
                RedisCommand("DEL", .key(Keys.payload(id))),
                RedisCommand("HDEL", .key(Keys.state(one.user)), .text(id.text)),
                RedisCommand(
                    "HDEL",
                    [.key(Keys.marks(one.user))] + InboxMarks.Kind.allCases.map { .text($0.field(id)) }
                ),
                RedisCommand("XACK", .key(Keys.stream(one.user)), .text("\(Keys.group)"), .text(streamID)),
            ]
        }
        let replies = try await redis.replies(commands)
        let perEntry = commands.count / max(1, entries.count)
        return entries.enumerated().filter { replies[$0.offset * perEntry].integer == 1 }.map(\.element)
    }

    /// Notes that each of `entries` is its user's notification with this collapse key, and removes what they replace: what is unread
    /// and older; of two that were stored at the same time, one.
    ///
    /// - Returns: What was removed.
    package func collapse(_ entries: [UserEntry], key: String) async throws(StoreError) -> [UserEntry] {
        let answers = try await redis.replies(
            entries.map { one in
                RedisCommand(
                    "EVAL",
                    .text("\(Scripts.collapse)"),
                    1,
                    .key(Keys.marks(one.user)),
                    .text("collapse:\(key)"),
                    .text("\(one.entry.streamID.milliseconds)"),
                    .text("\(one.entry.streamID.sequence)"),
                    .text(one.entry.notificationID.text)
                )
            }
        )
        let replaced = zip(entries, answers).compactMap { one, answer in
            answer.string.flatMap(EntryReference.init(stored:)).map { UserEntry(one.user, $0) }
        }
        let reads = try await redis.replies(
            replaced.map {
                RedisCommand("HEXISTS", .key(Keys.state($0.user)), .text($0.entry.notificationID.text))
            }
        )
        return try await remove(zip(replaced, reads).filter { $0.1.integer == 0 }.map(\.0))
    }

    // MARK: - Snoozes that end

    /// Takes snoozes whose time has come; another pod that asks at the same time gets others.
    ///
    /// - Parameter limit: Of those of one shard.
    /// - Source: Redis commands ZRANGE, ZREM
    package func endedSnoozes(limit: Int) async throws(StoreError) -> [UserEntry] {
        let now = try await redis.milliseconds()
        let keys = redis.shards.map { Keys.snoozed($0) }
        let due = try await redis.replies(
            keys.map {
                RedisCommand("ZRANGE", .key($0), "-inf", .text("\(now)"), "BYSCORE", "LIMIT", 0, .integer(limit))
            }
        )
        let members = zip(keys, due).flatMap { key, reply in
            (reply.array ?? []).compactMap(\.string).map { (key: key, text: $0) }
        }
        guard !members.isEmpty else { return [] }
        let removed = try await redis.replies(members.map { RedisCommand("ZREM", .key($0.key), .text($0.text)) })
        let mine = zip(members, removed).filter { $0.1.integer == 1 }.compactMap { UserEntry(stored: $0.0.text) }
        guard !mine.isEmpty else { return [] }
        let ends = try await redis.tolerantReplies(
            mine.map {
                RedisCommand(
                    "HGET",
                    .key($0.marks),
                    .text(InboxMarks.Kind.snoozed.field($0.entry.notificationID))
                )
            }
        )
        // Snoozed anew meanwhile, or not at all any more: then another one stands for it, or nobody waits.
        let ended = zip(mine, ends).filter { $0.1.integer.map { UInt64($0) <= now } ?? false }.map(\.0)
        _ = try await redis.tolerantReplies(
            ended.map {
                RedisCommand(
                    "HDEL",
                    .key($0.marks),
                    .text(InboxMarks.Kind.snoozed.field($0.entry.notificationID))
                )
            }
        )
        return ended
    }
}

/// An entry and whose it is.
package struct UserEntry: Sendable {
    package let user: UserKey
    package let entry: EntryReference
    /// Whose entry it is; nil: the user's own.
    package let topic: Topic?

    package init(_ user: UserKey, _ entry: EntryReference, of topic: Topic? = nil) {
        self.user = user
        self.entry = entry
        self.topic = topic
    }

    /// Parses what `text` gave.
    init?(stored text: String) {
        guard let (user, rest) = text.halves(at: " "), let (place, id) = rest.halves(at: " "),
            let user = UserKey(text: user), let place = EntryPlace(place)
        else { return nil }
        let entry = EntryReference(streamID: place.streamID, notificationID: NotificationID(String(id)))
        self.init(user, entry, of: place.topic)
    }

    /// As it stands in the sorted set of snoozed ones.
    var text: String { "\(user.text) \(EntryPlace(entry.streamID, in: topic).text) \(entry.notificationID.text)" }

    /// Where the marks of the user stand that are about it.
    fileprivate var marks: RedisKey { topic == nil ? Keys.marks(user) : Keys.topics(user) }
}

extension EntryReference {
    /// Parses a stream id, a space and the id of a notification.
    init?(stored text: String) {
        guard let (id, notification) = text.halves(at: " "), let id = StreamID(id) else { return nil }
        self.init(streamID: id, notificationID: NotificationID(String(notification)))
    }
}
