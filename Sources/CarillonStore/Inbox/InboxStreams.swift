import CarillonDomain
import CarillonRedis

/// What a user's stream and his topics' hold, and what he did with it, before any payload was looked at.
struct InboxStreams {
    /// Newest first.
    var rows: [InboxRow]
    let read: Set<NotificationID>
    let marks: InboxMarks
    /// What he has to do with topics; nil where there is nothing.
    let record: TopicRecord?
    /// The replies to further commands.
    let more: [RedisValue]

    /// Unread, and neither archived nor snoozed at that moment.
    func countsAsUnread(_ row: InboxRow, at now: UInt64) -> Bool {
        let id = row.entry.notificationID
        return !read.contains(id) && !marks.isHidden(id, at: now)
    }
}

extension InboxReader {
    /// - Parameter more: Commands that go along, so that they cost no round trip.
    func streams(of user: UserKey, and more: RedisCommand...) async throws(StoreError) -> InboxStreams {
        let own = RedisCommand(
            "XREVRANGE",
            .key(Keys.stream(user)),
            "+",
            "-",
            "COUNT",
            .integer(settings.streamMaxLength)
        )
        let replies = try await redis.tolerantReplies(
            [
                own,
                RedisCommand("HGETALL", .key(Keys.state(user))),
                RedisCommand("HGETALL", .key(Keys.marks(user))),
                RedisCommand("HGETALL", .key(Keys.topics(user))),
                stream(.everybody),
            ] + more
        )
        var rows = replies[0].streamEntries.compactMap(\.reference).map { InboxRow(entry: $0, topic: nil) }
        var (read, marks) = (replies[1].readIDs, replies[2].inboxMarks)
        let record = replies[3].topicRecord
        let ofTopics = try await topicRows(record, everybody: replies[4].streamEntries, of: user)
        if !ofTopics.isEmpty { rows = (rows + ofTopics).sorted { $1.place < $0.place } }
        if let record {
            read.formUnion(record.read.keys)
            marks.add(record.marks)
        }
        return InboxStreams(rows: rows, read: read, marks: marks, record: record, more: Array(replies[5...]))
    }
}
