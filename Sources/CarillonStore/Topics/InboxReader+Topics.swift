package import CarillonDomain
import CarillonRedis
import NIOCore

/// What became of a topic's notification.
package struct TopicReport: Sendable {
    package let topic: Topic
    package let entry: EntryReference
    /// When its payload expires, in milliseconds since 1970; nil where it does not.
    package let expiresAt: UInt64?
    /// Connections that were given it, and when the first of them was.
    package let devices: Int
    package let deliveredAt: UInt64?
    /// Users who read it.
    package let reads: Int
}

extension InboxReader {
    /// Nil where the topic does not hold it.
    package func entry(_ id: NotificationID, of topic: Topic) async throws(StoreError) -> EntryReference? {
        try await redis.replies([stream(topic)])[0].streamEntries.first { $0.notificationID == id }?.reference
    }

    package func report(
        on id: NotificationID,
        of topic: Topic,
        expiresAt: UInt64?
    ) async throws(StoreError) -> TopicReport? {
        guard let entry = try await entry(id, of: topic) else { return nil }
        let fields = [TopicReceipt.devices, TopicReceipt.first, TopicReceipt.reads].map { "\(id.text):\($0)" }
        let receipt = try await redis.replies([
            RedisCommand("HMGET", [.key(Keys.receipts(topic))] + fields.map { .text($0) })
        ])[0].array
        let numbers = receipt?.map { $0.string.flatMap { UInt64($0) } } ?? [nil, nil, nil]
        return TopicReport(
            topic: topic,
            entry: entry,
            expiresAt: expiresAt,
            devices: Int(numbers[0] ?? 0),
            deliveredAt: numbers[1],
            reads: Int(numbers[2] ?? 0)
        )
    }

    package func channels(of user: UserKey) async throws(StoreError) -> [String] {
        try await redis.replies([RedisCommand("HGETALL", .key(Keys.topics(user)))])[0].topicRecord?.channels ?? []
    }

    func stream(_ topic: Topic) -> RedisCommand {
        RedisCommand(
            "XREVRANGE",
            .key(Keys.topic(topic)),
            .text("+"),
            .text("-"),
            .text("COUNT"),
            .integer(settings.streamMaxLength)
        )
    }

    /// The entries of the topics that are the user's.
    ///
    /// - Parameter everybody: Those for everybody, which were read behind the record.
    func topicRows(
        _ record: TopicRecord?,
        everybody: [StoredEntry],
        of user: UserKey
    ) async throws(StoreError) -> [InboxRow] {
        let topics = Array(record?.subscriptions.keys ?? [:].keys)
        let replies = try await redis.tolerantReplies(topics.map(stream))
        let streams = zip([.everybody] + topics, [everybody] + replies.map(\.streamEntries))
        var rows: [InboxRow] = []
        for (topic, entries) in streams {
            for entry in entries.compactMap(\.reference) where record?.has(entry, of: topic) ?? true {
                rows.append(InboxRow(entry: entry, topic: topic))
            }
        }
        if let record, record.size > settings.topicFields(topics.count) {
            try await tidy(record, known: Set(streams.flatMap(\.1).compactMap(\.notificationID)), of: user)
        }
        return rows
    }

    /// Removes what the user did with notifications that his topics no longer hold.
    private func tidy(
        _ record: TopicRecord,
        known: Set<NotificationID>,
        of user: UserKey
    ) async throws(StoreError) {
        let fields = try await redis.replies([RedisCommand("HKEYS", .key(Keys.topics(user)))])[0].array ?? []
        let ids = Set(record.read.keys).union(record.gone).union(record.marks.ids).subtracting(known)
        let orphans = fields.compactMap(\.string).filter {
            TopicRecord.notification(field: $0).map(ids.contains) ?? false
        }
        guard !orphans.isEmpty else { return }
        _ = try await redis.replies([RedisCommand("HDEL", [.key(Keys.topics(user))] + orphans.map { .text($0) })])
    }
}

extension StoreSettings {
    /// Fields of `notif:topics:{user}` that are let be, for a user with so many subscriptions.
    func topicFields(_ subscriptions: Int) -> Int { Limits.subscriptions + 2 * streamMaxLength * (subscriptions + 1) }
}
