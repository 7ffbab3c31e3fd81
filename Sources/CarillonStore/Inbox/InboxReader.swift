package import CarillonDomain
package import CarillonRedis
import NIOCore

/// An entry of an inbox.
package struct InboxRow: Sendable {
    package let entry: EntryReference
    /// Whose stream it stands in; nil: the user's own.
    package let topic: Topic?

    var place: EntryPlace { EntryPlace(entry.streamID, in: topic) }
}

/// Whom a notification is for.
package enum NotificationAudience: Sendable {
    case user(User)
    case topic(Topic)
}

/// One notification as a listing shows it.
package struct InboxItem: Sendable {
    package let entry: EntryReference
    /// Whose stream it stands in; nil: the user's own.
    package let topic: Topic?
    package let payload: StoredPayload
    package let isRead: Bool
    package let receipt: Receipt
    /// Milliseconds since 1970; nil where it was not.
    package let seenAt: UInt64?
    package let archivedAt: UInt64?
    /// Nil where it is not, or no longer.
    package let snoozedUntil: UInt64?

    package var place: EntryPlace { EntryPlace(entry.streamID, in: topic) }
}

/// A page of a user's inbox.
package struct InboxPage: Sendable {
    package let items: [InboxItem]
    /// What the filter leaves, on all pages.
    package let total: Int
    package let unreadCount: Int
    package let hasMore: Bool
    /// Where the page is long: others wait until it is let go.
    var turn: LongReads.Turn?

    package init(items: [InboxItem], total: Int, unreadCount: Int, hasMore: Bool) {
        self.items = items
        self.total = total
        self.unreadCount = unreadCount
        self.hasMore = hasMore
    }
}

/// Reads inboxes for those who show them.
///
/// All of it is made from stream, state, marks and payloads each time; what a payload no longer exists for is in none of it.
///
/// - Isolation: any task
package struct InboxReader: Sendable {
    let redis: RedisClient
    let settings: StoreSettings
    let longReads = LongReads()

    /// Keys that one round trip looks at, so that the loop is soon free for others.
    private static let keysAtOnce = 128
    /// Payloads that are held at once.
    private static let payloadsAtOnce = 32
    /// Payloads that are asked for while nothing is known of their length.
    private static let firstPayloads = 4

    package init(redis: RedisClient, settings: StoreSettings) {
        self.redis = redis
        self.settings = settings
    }

    // MARK: - Listings

    /// - Parameters:
    ///   - limit: Items of the page.
    ///   - start: Where it begins.
    package func page(
        _ filter: InboxFilter,
        limit: Int,
        from start: InboxQuery.Start,
        of user: UserKey
    ) async throws(StoreError) -> InboxPage {
        let inbox = try await load(user)
        let matching = try await inbox.matching(filter, self)
        let first: Int
        switch start {
        case .offset(let offset): first = min(offset, matching.count)
        case .cursor(let place): first = matching.firstIndex { $0.place < place } ?? matching.count
        }
        let wanted = matching[first...].prefix(limit)
        var turn: LongReads.Turn?
        var page = InboxPage(
            items: try await items(Array(wanted), inbox, &turn),
            total: matching.count,
            unreadCount: inbox.unreadCount,
            hasMore: first + wanted.count < matching.count
        )
        page.turn = turn
        return page
    }

    /// How many pass a filter, and how many are unread.
    package func count(_ filter: InboxFilter, of user: UserKey) async throws(StoreError) -> (count: Int, unread: Int) {
        let inbox = try await load(user)
        return (try await inbox.matching(filter, self).count, inbox.unreadCount)
    }

    /// The entries that pass a filter, newest first.
    package func entries(_ filter: InboxFilter, of user: UserKey) async throws(StoreError) -> [InboxRow] {
        try await load(user).matching(filter, self)
    }

    /// How many are unread and not hidden: the number that devices are told after each change.
    package func unreadCount(of user: UserKey) async throws(StoreError) -> Int {
        let streams = try await streams(of: user)
        let now = Timestamp.nowMilliseconds()
        return try await alive(streams.rows.filter { streams.countsAsUnread($0, at: now) }).count
    }

    /// One notification with the number of unread ones; nil where the user has none of that id.
    package func item(
        _ id: NotificationID,
        of user: UserKey
    ) async throws(StoreError) -> (item: InboxItem, unreadCount: Int)? {
        let inbox = try await load(user)
        var turn: LongReads.Turn?
        guard let row = inbox.row(id), let item = try await items([row], inbox, &turn).first else { return nil }
        return (item, inbox.unreadCount)
    }

    /// Where a notification stands; nil where the user has none of that id, or its payload has expired.
    package func row(_ id: NotificationID, of user: UserKey) async throws(StoreError) -> InboxRow? {
        let streams = try await streams(of: user, and: RedisCommand("EXISTS", .key(Keys.payload(id))))
        return streams.more[0].integer == 1 ? streams.rows.first { $0.entry.notificationID == id } : nil
    }

    /// All entries, hidden and expired ones included, newest first, and whether each was read.
    func everything(of user: UserKey) async throws(StoreError) -> [(row: InboxRow, isRead: Bool)] {
        let streams = try await streams(of: user)
        return streams.rows.map { ($0, streams.read.contains($0.entry.notificationID)) }
    }

    /// Whom a notification is for, and when its payload expires; nil where there is no payload, or none that says so.
    package func audience(
        of id: NotificationID
    ) async throws(StoreError) -> (audience: NotificationAudience, expiresAt: UInt64?)? {
        let replies = try await redis.tolerantReplies([
            RedisCommand("GET", .key(Keys.payload(id))), RedisCommand("PEXPIRETIME", .key(Keys.payload(id))),
        ])
        guard case .bytes(let bytes) = replies[0], let payload = StoredPayload(ByteBuffer(bytes: bytes)) else {
            return nil
        }
        let expiresAt = replies[1].integer.flatMap { $0 > 0 ? UInt64($0) : nil }
        if let user = payload.target { return (.user(user), expiresAt) }
        return payload.audience.map { (.topic($0), expiresAt) }
    }

    // MARK: - Reading

    /// Everything of an inbox but its payloads.
    private struct Loaded {
        /// Of the rows only those whose payload exists.
        let streams: InboxStreams
        let receipts: Receipts
        let now: UInt64

        var unreadCount: Int { streams.rows.count { streams.countsAsUnread($0, at: now) } }

        func row(_ id: NotificationID) -> InboxRow? { streams.rows.first { $0.entry.notificationID == id } }

        /// What passes, newest first.
        func matching(_ filter: InboxFilter, _ reader: InboxReader) async throws(StoreError) -> [InboxRow] {
            let candidates = streams.rows.filter { row in
                let id = row.entry.notificationID
                return filter.passes(row.place, id, isRead: streams.read.contains(id), streams.marks, at: now)
            }
            guard filter.needsPayload else { return candidates }
            var matching: [InboxRow] = []
            var turn: LongReads.Turn?
            for start in stride(from: 0, to: candidates.count, by: InboxReader.payloadsAtOnce) {
                let some = candidates[start..<min(start + InboxReader.payloadsAtOnce, candidates.count)]
                for (row, payload) in zip(some, try await reader.payloads(Array(some), &turn)) {
                    if let payload, filter.passes(payload, streamID: row.entry.streamID) { matching.append(row) }
                }
            }
            return matching
        }
    }

    private func load(_ user: UserKey) async throws(StoreError) -> Loaded {
        var streams = try await streams(of: user, and: RedisCommand("HGETALL", .key(Keys.receipts(user))))
        var receipts = Receipts(streams.more[0])
        for (id, time) in streams.record?.read ?? [:] { receipts.noteRead(id, at: time) }
        let now = Timestamp.nowMilliseconds()
        streams.rows = try await alive(streams.rows)
        return Loaded(streams: streams, receipts: receipts, now: now)
    }

    /// Those whose payload exists.
    private func alive(_ rows: [InboxRow]) async throws(StoreError) -> [InboxRow] {
        var alive: [InboxRow] = []
        for start in stride(from: 0, to: rows.count, by: Self.keysAtOnce) {
            let some = rows[start..<min(start + Self.keysAtOnce, rows.count)]
            let replies = try await redis.replies(
                some.map { RedisCommand("EXISTS", .key(Keys.payload($0.entry.notificationID))) }
            )
            alive += zip(some, replies).filter { $0.1.integer == 1 }.map(\.0)
        }
        return alive
    }

    /// Those whose payload is still there and is one.
    private func items(
        _ rows: [InboxRow],
        _ inbox: Loaded,
        _ turn: inout LongReads.Turn?
    ) async throws(StoreError) -> [InboxItem] {
        var items: [InboxItem] = []
        for (row, payload) in zip(rows, try await payloads(rows, &turn)) {
            guard let payload else { continue }
            let id = row.entry.notificationID
            let marks = inbox.streams.marks
            items.append(
                InboxItem(
                    entry: row.entry,
                    topic: row.topic,
                    payload: payload,
                    isRead: inbox.streams.read.contains(id),
                    receipt: row.topic == nil ? inbox.receipts[row.entry] : inbox.receipts[ofTopic: id],
                    seenAt: marks.seen[id],
                    archivedAt: marks.archived[id],
                    snoozedUntil: marks.isSnoozed(id, at: inbox.now) ? marks.snoozed[id] : nil
                )
            )
        }
        return items
    }

    /// A few are asked for at a time, by the length of those before: a list of long ones holds up nobody. It waits for its turn, and
    /// ends where nobody waits for it any more.
    ///
    /// - Parameter turn: Given where the list is long.
    private func payloads(
        _ rows: [InboxRow],
        _ turn: inout LongReads.Turn?
    ) async throws(StoreError) -> [StoredPayload?] {
        var payloads: [StoredPayload?] = []
        var (rest, count, length) = (rows[...], Self.firstPayloads, 0)
        while !rest.isEmpty {
            if length >= Limits.pageBytes, turn == nil { turn = await longReads.enter() }
            guard !Task.isCancelled else { return payloads + rest.map { _ in nil } }
            let some = rest.prefix(count)
            rest = rest.dropFirst(some.count)
            var bytes = 1
            for value in try await redis.tolerantReplies(some.map(Self.payload)) {
                guard case .bytes(let payload) = value else {
                    payloads.append(nil)
                    continue
                }
                bytes += payload.count
                payloads.append(StoredPayload(ByteBuffer(bytes: payload)))
            }
            length += bytes
            count = max(1, Limits.pageBytes * some.count / bytes)
        }
        return payloads
    }

    private static func payload(_ row: InboxRow) -> RedisCommand {
        RedisCommand("GET", .key(Keys.payload(row.entry.notificationID)))
    }
}

extension RedisValue {
    /// The ids that a state hash says are read.
    var readIDs: Set<NotificationID> {
        Set(fields.compactMap { $0.value.string == "read" ? NotificationID($0.name) : nil })
    }

    /// The fields of `notif:topics:{user}`; nil where there are none.
    var topicRecord: TopicRecord? {
        let fields = fields
        return fields.isEmpty ? nil : TopicRecord(fields: fields.map { ($0.name, $0.value.string ?? "") })
    }

    var inboxMarks: InboxMarks {
        var marks = InboxMarks()
        for (name, value) in fields { marks.add(field: name, value: value.string ?? "") }
        return marks
    }
}
