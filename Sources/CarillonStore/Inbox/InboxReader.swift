package import CarillonDomain
package import CarillonRedis
import NIOCore

/// One notification as a listing shows it.
package struct InboxItem: Sendable {
    package let entry: EntryReference
    package let payload: StoredPayload
    package let isRead: Bool
    package let receipt: Receipt
    /// Milliseconds since 1970; nil where it was not.
    package let seenAt: UInt64?
    package let archivedAt: UInt64?
    /// Nil where it is not, or no longer.
    package let snoozedUntil: UInt64?
}

/// A page of a user's inbox.
package struct InboxPage: Sendable {
    package let items: [InboxItem]
    /// What the filter leaves, on all pages.
    package let total: Int
    package let unreadCount: Int
    package let hasMore: Bool

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
    private let settings: StoreSettings

    /// Keys that one round trip looks at, so that the loop is soon free for others.
    private static let keysAtOnce = 128
    /// Payloads that are held at once.
    private static let payloadsAtOnce = 32

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
        case .cursor(let id): first = matching.firstIndex { $0.streamID < id } ?? matching.count
        }
        let wanted = matching[first...].prefix(limit)
        return InboxPage(
            items: try await items(Array(wanted), inbox),
            total: matching.count,
            unreadCount: inbox.unreadCount,
            hasMore: first + wanted.count < matching.count
        )
    }

    /// How many pass a filter, and how many are unread.
    package func count(_ filter: InboxFilter, of user: UserKey) async throws(StoreError) -> (count: Int, unread: Int) {
        let inbox = try await load(user)
        return (try await inbox.matching(filter, self).count, inbox.unreadCount)
    }

    /// The entries that pass a filter, newest first.
    package func entries(_ filter: InboxFilter, of user: UserKey) async throws(StoreError) -> [EntryReference] {
        try await load(user).matching(filter, self)
    }

    /// How many are unread and not hidden: the number that devices are told after each change.
    package func unreadCount(of user: UserKey) async throws(StoreError) -> Int {
        let replies = try await redis.tolerantReplies([
            newest(user),
            RedisCommand("HGETALL", .key(Keys.state(user))),
            RedisCommand("HGETALL", .key(Keys.marks(user))),
        ])
        let part = InboxPart(
            entries: replies[0].streamEntries,
            read: replies[1].readIDs,
            marks: replies[2].inboxMarks
        )
        let now = Timestamp.nowMilliseconds()
        return try await alive(part.entries.filter { part.countsAsUnread($0, at: now) }).count
    }

    /// One notification with the number of unread ones; nil where the user has none of that id.
    package func item(
        _ id: NotificationID,
        of user: UserKey
    ) async throws(StoreError) -> (item: InboxItem, unreadCount: Int)? {
        let inbox = try await load(user)
        guard let entry = inbox.entry(id), let item = try await items([entry], inbox).first else { return nil }
        return (item, inbox.unreadCount)
    }

    /// Where a notification stands in the user's stream; nil where it does not, or its payload has expired.
    package func entry(_ id: NotificationID, of user: UserKey) async throws(StoreError) -> EntryReference? {
        let replies = try await redis.tolerantReplies([
            newest(user), RedisCommand("EXISTS", .key(Keys.payload(id))),
        ])
        guard replies[1].integer == 1 else { return nil }
        return replies[0].streamEntries.first { $0.notificationID == id }?.reference
    }

    private func newest(_ user: UserKey) -> RedisCommand {
        let count = RedisArgument.integer(settings.streamMaxLength)
        return RedisCommand("XREVRANGE", .key(Keys.stream(user)), "+", "-", "COUNT", count)
    }

    /// Whom a notification is for, and when its payload expires; nil where there is no payload, or none that says so.
    package func target(of id: NotificationID) async throws(StoreError) -> (user: User, expiresAt: UInt64?)? {
        let replies = try await redis.tolerantReplies([
            RedisCommand("GET", .key(Keys.payload(id))), RedisCommand("PEXPIRETIME", .key(Keys.payload(id))),
        ])
        guard case .bytes(let bytes) = replies[0], let user = StoredPayload(ByteBuffer(bytes: bytes))?.target else {
            return nil
        }
        return (user, replies[1].integer.flatMap { $0 > 0 ? UInt64($0) : nil })
    }

    // MARK: - Reading

    /// Everything of an inbox but its payloads.
    private struct Loaded {
        let part: InboxPart
        let receipts: Receipts
        /// Of the entries, those whose payload exists.
        let alive: Set<StreamID>
        let now: UInt64

        var unreadCount: Int { part.entries.count { alive.contains($0.id) && part.countsAsUnread($0, at: now) } }

        func entry(_ id: NotificationID) -> EntryReference? {
            part.entries.last { $0.notificationID == id && alive.contains($0.id) }?.reference
        }

        /// What passes, newest first.
        func matching(_ filter: InboxFilter, _ reader: InboxReader) async throws(StoreError) -> [EntryReference] {
            let candidates = part.entries.reversed().filter { alive.contains($0.id) }.compactMap(\.reference).filter {
                filter.passes($0, isRead: part.read.contains($0.notificationID), part.marks, at: now)
            }
            guard filter.needsPayload else { return candidates }
            var matching: [EntryReference] = []
            for start in stride(from: 0, to: candidates.count, by: InboxReader.payloadsAtOnce) {
                let some = candidates[start..<min(start + InboxReader.payloadsAtOnce, candidates.count)]
                for (entry, payload) in zip(some, try await reader.payloads(Array(some))) {
                    if let payload, filter.passes(payload, streamID: entry.streamID) { matching.append(entry) }
                }
            }
            return matching
        }
    }

    private func load(_ user: UserKey) async throws(StoreError) -> Loaded {
        let replies = try await redis.tolerantReplies([
            newest(user),
            RedisCommand("HGETALL", .key(Keys.state(user))),
            RedisCommand("HGETALL", .key(Keys.marks(user))),
            RedisCommand("HGETALL", .key(Keys.receipts(user))),
        ])
        let entries = Array(replies[0].streamEntries.reversed())
        let part = InboxPart(entries: entries, read: replies[1].readIDs, marks: replies[2].inboxMarks)
        return Loaded(
            part: part,
            receipts: Receipts(replies[3]),
            alive: try await alive(entries),
            now: Timestamp.nowMilliseconds()
        )
    }

    private func alive(_ entries: [StoredEntry]) async throws(StoreError) -> Set<StreamID> {
        var alive: Set<StreamID> = []
        for start in stride(from: 0, to: entries.count, by: Self.keysAtOnce) {
            let some = entries[start..<min(start + Self.keysAtOnce, entries.count)].filter { $0.notificationID != nil }
            let replies = try await redis.replies(
                some.compactMap(\.notificationID).map { RedisCommand("EXISTS", .key(Keys.payload($0))) }
            )
            for (entry, reply) in zip(some, replies) where reply.integer == 1 { alive.insert(entry.id) }
        }
        return alive
    }

    /// Those whose payload is still there and is one.
    private func items(_ entries: [EntryReference], _ inbox: Loaded) async throws(StoreError) -> [InboxItem] {
        var items: [InboxItem] = []
        for (entry, payload) in zip(entries, try await payloads(entries)) {
            guard let payload else { continue }
            let id = entry.notificationID
            let marks = inbox.part.marks
            items.append(
                InboxItem(
                    entry: entry,
                    payload: payload,
                    isRead: inbox.part.read.contains(id),
                    receipt: inbox.receipts[entry],
                    seenAt: marks.seen[id],
                    archivedAt: marks.archived[id],
                    snoozedUntil: marks.isSnoozed(id, at: inbox.now) ? marks.snoozed[id] : nil
                )
            )
        }
        return items
    }

    private func payloads(_ entries: [EntryReference]) async throws(StoreError) -> [StoredPayload?] {
        try await redis.tolerantReplies(entries.map { RedisCommand("GET", .key(Keys.payload($0.notificationID))) })
            .map { value in
                guard case .bytes(let bytes) = value else { return nil }
                return StoredPayload(ByteBuffer(bytes: bytes))
            }
    }
}

extension RedisValue {
    /// The ids that a state hash says are read.
    var readIDs: Set<NotificationID> {
        Set(fields.compactMap { $0.value.string == "read" ? NotificationID($0.name) : nil })
    }

    fileprivate var inboxMarks: InboxMarks {
        var marks = InboxMarks()
        for (name, value) in fields { marks.add(field: name, value: value.string ?? "") }
        return marks
    }
}
