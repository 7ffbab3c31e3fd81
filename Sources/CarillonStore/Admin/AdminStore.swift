package import CarillonDomain
package import CarillonRedis

/// What the admin calls read.
///
/// - Isolation: any task
package struct AdminStore: Sendable {
    let redis: RedisClient
    private let settings: StoreSettings
    private let inbox: InboxReader

    private static let historyEntries = 100
    /// Payloads that are asked for at once.
    private static let payloadsAtOnce = 8

    /// - Parameter inbox: Reads one user's inbox; its turns for long lists are those of the admin calls, too.
    package init(_ inbox: InboxReader) {
        redis = inbox.redis
        settings = inbox.settings
        self.inbox = inbox
    }

    /// An entry with what is stored for it.
    package struct Row: Sendable {
        package let place: EntryPlace
        package let notificationID: NotificationID?
        /// JSON as it is stored; nil where it has expired.
        package let payload: String?
        package let isRead: Bool
    }

    /// The unread entries of one user, newest first.
    package struct UserRows: Sendable {
        package let user: UserKey
        package let rows: [Row]
    }

    /// Where a listing goes on: behind one entry of one user.
    package struct Position: Sendable {
        let score: UInt64
        let user: String
        let id: StreamID

        /// Parses what `text` gave.
        package init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let score = UInt64(parts[0]), let id = StreamID(parts[1]), !parts[2].isEmpty,
                let user = Self.decode(parts[2])
            else { return nil }
            self.init(score: score, user: user, id: id)
        }

        init(score: UInt64, user: String, id: StreamID) {
            self.score = score
            self.user = user
            self.id = id
        }

        /// The user in hex, because a text id may hold what a query string cannot.
        package var text: String {
            "\(score):\(id):\(user.utf8.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined())"
        }

        private static func decode(_ hex: Substring) -> String? {
            var bytes: [UInt8] = []
            var rest = hex
            while !rest.isEmpty {
                guard let byte = UInt8(rest.prefix(2), radix: 16), rest.count >= 2 else { return nil }
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            return String(validating: bytes, as: UTF8.self)
        }
    }

    /// Unread entries of all users, those notified last first; at most `limit` entries.
    package func pending(
        limit: Int,
        from position: Position?
    ) async throws(StoreError) -> (users: [UserRows], next: Position?) {
        let turn = await inbox.longReads.enter()
        defer { withExtendedLifetime(turn) {} }
        var found: [UserRows] = []
        var (total, bytes) = (0, 0)
        var recent = RecentUsers(redis: redis, from: position?.score)
        while true {
            let users = try await recent.next()
            guard !users.isEmpty else { return (found, nil) }
            let unread = try await unreadEntries(of: users, before: position)
            for (user, entries) in zip(users, unread) where !entries.isEmpty {
                let taken = entries.prefix(limit - total)
                let rows = try await rows(taken.map { (EntryPlace($0.id), $0.notificationID, isRead: false) })
                found.append(UserRows(user: user.key, rows: rows))
                total += taken.count
                bytes += rows.reduce(0) { $0 + ($1.payload?.utf8.count ?? 0) }
                if total == limit || bytes >= Limits.pendingBytes {
                    return (found, Position(score: user.score, user: user.key.text, id: taken[taken.count - 1].id))
                }
            }
        }
    }

    /// How many entries and users the whole listing has, as far as `Limits.adminRows` entries.
    package func pendingTotals() async throws(StoreError) -> (entries: Int, users: Int) {
        var totals = (entries: 0, users: 0)
        var recent = RecentUsers(redis: redis, from: nil)
        while totals.entries < Limits.adminRows {
            let users = try await recent.next()
            guard !users.isEmpty else { break }
            for entries in try await unreadEntries(of: users, before: nil) where !entries.isEmpty {
                totals.entries += entries.count
                totals.users += 1
            }
        }
        return (min(totals.entries, Limits.adminRows), totals.users)
    }

    /// The newest entries of a user, those of his topics included, oldest first.
    package func history(of user: UserKey) async throws(StoreError) -> [Row] {
        let turn = await inbox.longReads.enter()
        defer { withExtendedLifetime(turn) {} }
        let newest = try await inbox.everything(of: user).prefix(Self.historyEntries)
        return try await rows(newest.reversed().map { ($0.row.place, $0.row.entry.notificationID, $0.isRead) })
    }

    // MARK: - Parts

    private func unreadEntries(
        of users: [RecentUsers.Row],
        before position: Position?
    ) async throws(StoreError) -> [[StoredEntry]] {
        var commands: [RedisCommand] = []
        for user in users {
            commands.append(Self.newest(user.key, end: "+", count: settings.streamMaxLength))
            commands.append(RedisCommand("HGETALL", .key(Keys.state(user.key))))
        }
        let replies = try await redis.tolerantReplies(commands)
        return users.indices.map { index in
            let (key, score) = (users[index].key, users[index].score)
            // Users of the same score are listed in descending order of their names.
            if let position, score == position.score, position.user.utf8.lexicographicallyPrecedes(key.text.utf8) {
                return []
            }
            let read = replies[index * 2 + 1].readIDs
            return replies[index * 2].streamEntries.filter { entry in
                guard let id = entry.notificationID, !read.contains(id) else { return false }
                if let position, score == position.score, key.text == position.user { return entry.id < position.id }
                return true
            }
        }
    }

    private func rows(
        _ entries: [(place: EntryPlace, id: NotificationID?, isRead: Bool)]
    ) async throws(StoreError) -> [Row] {
        var payloads: [RedisValue] = []
        for start in stride(from: 0, to: entries.count, by: Self.payloadsAtOnce) {
            let some = entries[start..<min(start + Self.payloadsAtOnce, entries.count)]
            payloads += try await redis.tolerantReplies(
                some.map { RedisCommand("GET", .key(Keys.payload($0.id ?? NotificationID("")))) }
            )
        }
        return zip(entries, payloads).map { entry, payload in
            Row(
                place: entry.place,
                notificationID: entry.id,
                payload: Self.document(payload),
                isRead: entry.isRead
            )
        }
    }

    /// A payload as a JSON value that can stand in a listing; what another program wrote that is none is shown as a string.
    private static func document(_ payload: RedisValue) -> String? {
        guard let text = payload.string else { return nil }
        return JSON.isValue(text) ? text : JSON.quoted(text)
    }

    private static func newest(_ user: UserKey, end: String, count: Int) -> RedisCommand {
        RedisCommand("XREVRANGE", .key(Keys.stream(user)), .text(end), .text("-"), .text("COUNT"), .integer(count))
    }
}
