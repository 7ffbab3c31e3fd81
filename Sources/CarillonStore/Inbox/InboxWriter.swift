package import CarillonDomain
package import CarillonRedis
import NIOCore

/// What a user, or a sender, does with notifications besides reading them.
///
/// - Isolation: any task
package struct InboxWriter: Sendable {
    private let redis: RedisClient
    private let settings: StoreSettings

    /// A payload outlives the end of its snooze by so much at least.
    private static let afterSnooze: UInt64 = 900_000

    package init(redis: RedisClient, settings: StoreSettings) {
        self.redis = redis
        self.settings = settings
    }

    // MARK: - Marks

    /// Sets a mark; one that is there keeps its time.
    package func mark(
        _ kind: InboxMarks.Kind,
        _ entries: [EntryReference],
        at time: UInt64,
        of user: UserKey
    ) async throws(StoreError) {
        _ = try await redis.replies(
            entries.map {
                RedisCommand(
                    "HSETNX",
                    .key(Keys.marks(user)),
                    .text(kind.field($0.notificationID)),
                    .text("\(time)")
                )
            }
        )
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
        _ = try await redis.replies([
            RedisCommand(
                "PEXPIREAT",
                .key(Keys.payload(entry.notificationID)),
                .text("\(end)"),
                .text("GT")
            ),
            // The janitor has to come by at the new end of the payload.
            RedisCommand("SADD", .key(Keys.expired(slot: slot)), .text(user.text)),
            RedisCommand(
                "EXPIREAT",
                .key(Keys.expired(slot: slot)),
                .text("\(slot * Keys.slotMilliseconds / 1_000 + 3_600)")
            ),
            RedisCommand("ZADD", .key(Keys.snoozed), .text("\(until)"), .text(Snooze(user, entry).text)),
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
        let id = entry.notificationID
        let replies = try await redis.replies([
            RedisCommand("XDEL", .key(Keys.stream(user)), .text("\(entry.streamID)")),
            RedisCommand("DEL", .key(Keys.payload(id))),
            RedisCommand("HDEL", .key(Keys.state(user)), .text(id.text)),
            RedisCommand("HDEL", [.key(Keys.marks(user))] + InboxMarks.Kind.allCases.map { .text($0.field(id)) }),
            RedisCommand("XACK", .key(Keys.stream(user)), .text("\(Keys.group)"), .text("\(entry.streamID)")),
        ])
        return replies[0].integer == 1
    }

    /// Notes that `entry` is the user's notification with this collapse key.
    ///
    /// - Returns: The one that it replaces, where that is there and unread: of two that were stored at the same time, the older.
    package func collapse(
        _ entry: EntryReference,
        key: String,
        of user: UserKey
    ) async throws(StoreError) -> EntryReference? {
        let answer = try await redis.replies([
            RedisCommand(
                "EVAL",
                .text("\(Scripts.collapse)"),
                1,
                .key(Keys.marks(user)),
                .text("collapse:\(key)"),
                .text("\(entry.streamID.milliseconds)"),
                .text("\(entry.streamID.sequence)"),
                .text(entry.notificationID.text)
            )
        ])[0]
        guard let replaced = answer.string.flatMap(EntryReference.init(stored:)) else { return nil }
        let replies = try await redis.replies([
            RedisCommand("HEXISTS", .key(Keys.state(user)), .text(replaced.notificationID.text))
        ])
        return replies[0].integer == 1 ? nil : replaced
    }

    // MARK: - Snoozes that end

    /// Takes snoozes whose time has come; another pod that asks at the same time gets others.
    ///
    /// - Source: Redis commands ZRANGE, ZREM
    package func endedSnoozes(limit: Int) async throws(StoreError) -> [Snooze] {
        let now = try await redis.milliseconds()
        let due =
            try await redis.replies([
                RedisCommand(
                    "ZRANGE",
                    .key(Keys.snoozed),
                    "-inf",
                    .text("\(now)"),
                    "BYSCORE",
                    "LIMIT",
                    0,
                    .integer(limit)
                )
            ])[0].array ?? []
        guard !due.isEmpty else { return [] }
        let members = due.compactMap(\.string)
        let removed = try await redis.replies(members.map { RedisCommand("ZREM", .key(Keys.snoozed), .text($0)) })
        let mine = zip(members, removed).filter { $0.1.integer == 1 }.compactMap { Snooze($0.0) }
        guard !mine.isEmpty else { return [] }
        let ends = try await redis.tolerantReplies(
            mine.map {
                RedisCommand(
                    "HGET",
                    .key(Keys.marks($0.user)),
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
                    .key(Keys.marks($0.user)),
                    .text(InboxMarks.Kind.snoozed.field($0.entry.notificationID))
                )
            }
        )
        return ended
    }
}

/// A snoozed entry of a user, as it stands in the sorted set.
package struct Snooze: Sendable {
    package let user: UserKey
    package let entry: EntryReference

    init(_ user: UserKey, _ entry: EntryReference) {
        self.user = user
        self.entry = entry
    }

    /// Parses what `text` gave.
    init?(_ text: String) {
        guard let space = text.firstIndex(of: " "), let user = UserKey(text: text[..<space]),
            let entry = EntryReference(stored: String(text[text.index(after: space)...]))
        else { return nil }
        self.init(user, entry)
    }

    var text: String { "\(user.text) \(entry.streamID) \(entry.notificationID.text)" }
}

extension EntryReference {
    /// Parses a stream id, a space and the id of a notification.
    init?(stored text: String) {
        guard let space = text.firstIndex(of: " "), let id = StreamID(text[..<space]) else { return nil }
        self.init(streamID: id, notificationID: NotificationID(String(text[text.index(after: space)...])))
    }
}
