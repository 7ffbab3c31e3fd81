package import CarillonDomain
import CarillonRedis

/// What a user, or a sender, does with notifications of topics.
extension InboxWriter {
    /// Fields of a hash for each notification that a topic's stream may hold; with more than that, some are of those that are gone.
    private static let fieldsPerEntry = 8

    // MARK: - What a user does

    @discardableResult
    private func change(_ user: UserKey, _ commands: [RedisCommand]) async throws(StoreError) -> [RedisValue] {
        let keep = RedisCommand("EXPIRE", .key(Keys.topics(user)), .integer(Limits.topicSeconds))
        return try await redis.replies(commands + [keep])
    }

    /// Sets a mark; one that is there keeps its time.
    ///
    /// - Returns: Those that did not have it.
    @discardableResult
    package func mark(
        _ kind: InboxMarks.Kind,
        ofTopics entries: [EntryReference],
        at time: UInt64,
        of user: UserKey
    ) async throws(StoreError) -> [EntryReference] {
        let replies = try await change(
            user,
            entries.map {
                RedisCommand("HSETNX", .key(Keys.topics(user)), .text(kind.field($0.notificationID)), .text("\(time)"))
            }
        )
        return zip(entries, replies).filter { $0.1.integer == 1 }.map(\.0)
    }

    package func unmark(
        _ kind: InboxMarks.Kind,
        ofTopic entry: EntryReference,
        of user: UserKey
    ) async throws(StoreError) {
        try await change(
            user,
            [RedisCommand("HDEL", .key(Keys.topics(user)), .text(kind.field(entry.notificationID)))]
        )
    }

    package func markUnread(ofTopic entry: EntryReference, of user: UserKey) async throws(StoreError) {
        let field = TopicRecord.read + entry.notificationID.text
        try await change(user, [RedisCommand("HDEL", .key(Keys.topics(user)), .text(field))])
    }

    /// Hides an entry until `until`, and has its payload live a while longer.
    package func snooze(_ read: TopicReference, until: UInt64, of user: UserKey) async throws(StoreError) {
        let id = read.entry.notificationID
        try await change(
            user,
            [
                RedisCommand("PEXPIREAT", .key(Keys.payload(id)), .text("\(until + Self.afterSnooze)"), .text("GT")),
                RedisCommand(
                    "ZADD",
                    .key(Keys.snoozed(redis.shard(of: user))),
                    .text("\(until)"),
                    .text(UserEntry(user, read.entry, of: read.topic).text)
                ),
                RedisCommand(
                    "HSET",
                    .key(Keys.topics(user)),
                    .text(InboxMarks.Kind.snoozed.field(id)),
                    .text("\(until)")
                ),
            ]
        )
    }

    /// Removes an entry from this user's inbox; others keep it.
    package func hide(_ entry: EntryReference, at time: UInt64, of user: UserKey) async throws(StoreError) {
        let id = entry.notificationID
        let fields = InboxMarks.Kind.allCases.map { $0.field(id) } + [TopicRecord.read + id.text]
        try await change(
            user,
            [
                RedisCommand("HSET", .key(Keys.topics(user)), .text(TopicRecord.gone + id.text), .text("\(time)")),
                RedisCommand("HDEL", [.key(Keys.topics(user))] + fields.map { .text($0) }),
            ]
        )
    }

    // MARK: - What a sender does

    /// Removes a topic's entry for all, with its payload and what is known of it.
    ///
    /// - Returns: Whether it was this call that removed it.
    package func remove(_ entry: EntryReference, of topic: Topic) async throws(StoreError) -> Bool {
        let id = entry.notificationID
        let fields = [TopicReceipt.devices, TopicReceipt.first, TopicReceipt.reads].map { "\(id.text):\($0)" }
        let replies = try await redis.replies([
            RedisCommand("XDEL", .key(Keys.topic(topic)), .text("\(entry.streamID)")),
            RedisCommand("DEL", .key(Keys.payload(id))),
            RedisCommand("HDEL", [.key(Keys.receipts(topic))] + fields.map { .text($0) }),
        ])
        return replies[0].integer == 1
    }

    /// Notes that `entry` is the topic's notification with this collapse key.
    ///
    /// - Returns: The one that it replaces: of two that were stored at the same time, the older.
    package func collapse(
        _ entry: EntryReference,
        key: String,
        of topic: Topic
    ) async throws(StoreError) -> EntryReference? {
        let answer = try await redis.replies([
            RedisCommand(
                "EVAL",
                .text("\(Scripts.collapse)"),
                1,
                .key(Keys.receipts(topic)),
                .text("collapse:\(key)"),
                .text("\(entry.streamID.milliseconds)"),
                .text("\(entry.streamID.sequence)"),
                .text(entry.notificationID.text)
            )
        ])[0]
        return answer.string.flatMap(EntryReference.init(stored:))
    }

    /// Removes what is known of notifications that the topic no longer holds, once it has become much.
    ///
    /// - Parameter count: Fields that there are.
    package func tidy(_ topic: Topic, count: Int) async throws(StoreError) {
        guard count > Self.fieldsPerEntry * settings.streamMaxLength else { return }
        // In this order: what is added in between must not look as if it were gone.
        let fields = try await redis.replies([RedisCommand("HGETALL", .key(Keys.receipts(topic)))])[0].array ?? []
        let stream = try await redis.replies([RedisCommand("XRANGE", .key(Keys.topic(topic)), "-", "+")])[0]
        let known = Set(stream.streamEntries.compactMap(\.notificationID?.text))
        let orphans = stride(from: 0, to: fields.count - 1, by: 2).compactMap { index -> String? in
            guard let field = fields[index].string else { return nil }
            let isCollapse = field.rest(behind: "collapse:") != nil
            let id = isCollapse ? fields[index + 1].string?.parts(at: " ").last : field.halves(at: ":")?.0
            return known.contains(id.map { String($0) } ?? "") ? nil : field
        }
        guard !orphans.isEmpty else { return }
        _ = try await redis.replies([
            RedisCommand("HDEL", [.key(Keys.receipts(topic))] + orphans.map { .text($0) })
        ])
    }
}
