package import CarillonDomain
package import CarillonMetrics
package import CarillonRedis

/// What keeping a user in order came to.
package struct KeepingReport: Sendable {
    /// Entries that expired unread and were removed by this call while devices were online: they must be told.
    package var cleared: [EntryReference] = []
    /// Entries, fields and pending marks that were removed.
    package var removed = 0
    /// When the oldest entry reaches the end of its retention; nil where the stream is empty.
    package var nextTrimMilliseconds: UInt64?
    /// The newest entry that is kept and unread.
    package var newestUnread: StreamID?

    /// Nothing was found to do.
    package init() {}
}

/// Brings everything that belongs to one user in line with his stream.
///
/// The three workers that clean differ in how they find users; what they do with one is the same: entries past retention and
/// read entries whose payload expired go; unread ones whose payload expired go when somebody is online to be told; the group
/// exists; nothing that is read or gone stays pending; the state hash holds no field without an entry; an empty stream of a user
/// who is not online goes.
///
/// XDEL comes first and its answer decides who counts. The state hash is read before the stream, so that a field whose entry is
/// added in between is not taken for an orphan.
///
/// - Isolation: any task
package struct UserKeeper: Sendable {
    let redis: RedisClient
    let settings: StoreSettings
    let metrics: Metrics

    static let pageSize = 500
    static let dayMilliseconds: UInt64 = 86_400_000
    /// An empty stream is kept so long, because its last id tells devices that they have seen everything.
    static let emptyStreamMilliseconds: UInt64 = 3_600_000

    package init(redis: RedisClient, settings: StoreSettings, metrics: Metrics) {
        self.redis = redis
        self.settings = settings
        self.metrics = metrics
    }

    package func keep(_ user: UserKey) async throws(StoreError) -> KeepingReport {
        var report = KeepingReport()
        let first = try await redis.replies([
            RedisCommand("HGETALL", .key(Keys.state(user))),
            RedisCommand("GET", .key(Keys.retention(user))),
            RedisCommand("HLEN", .key(Keys.presence(user))),
            RedisCommand("HGETALL", .key(Keys.receipts(user))),
            RedisCommand("HGETALL", .key(Keys.marks(user))),
        ])
        let state = first[0].table
        let isOnline = first[2].integer ?? 0 > 0
        // Before the stream is read: what is added in between must not look trimmed.
        let position = isOnline ? nil : try await position(of: user)
        let entries = try await stream(of: user)
        // A pod's own clock may be wrong, and would throw entries away that are still to be kept.
        let now = try await redis.milliseconds()
        let lifetime = UInt64(first[1].retentionDays) * Self.dayMilliseconds
        let hasPayload = try await payloadsExist(entries)

        var kept: [StoredEntry] = []
        for (entry, hasPayload) in zip(entries, hasPayload) {
            let isRead = entry.notificationID.map { state[$0.text] == "read" } ?? true
            let isPastRetention = now > lifetime && entry.id.milliseconds < now - lifetime
            let isExpired = !hasPayload
            if isPastRetention || isExpired && (isRead || isOnline) {
                guard try await remove(entry, of: user) else { continue }
                report.removed += 1
                if !isPastRetention, !isRead, let reference = entry.reference { report.cleared.append(reference) }
            } else {
                kept.append(entry)
                if !isRead { report.newestUnread = entry.id }
            }
        }
        report.removed += try await dropOrphans(of: state, entries, user)
        try await dropTraces(marks: first[4].table, receipts: first[3].table, kept, user)
        report.removed += try await repairPending(user, state)
        if let position, !kept.isEmpty { try await countTrimmed(user, position, entries, kept: kept) }
        if let oldest = kept.first {
            report.nextTrimMilliseconds = oldest.id.milliseconds + lifetime
        } else if !isOnline {
            // Where devices are online, a stream that is gone would look like a history that was lost.
            try await deleteIfIdle(user, now)
        }
        return report
    }

    // MARK: - Reading

    private func stream(of user: UserKey) async throws(StoreError) -> [StoredEntry] {
        var entries: [StoredEntry] = []
        var start = "-"
        while true {
            let page = try await redis.replies([
                RedisCommand(
                    "XRANGE",
                    .key(Keys.stream(user)),
                    .text(start),
                    .text("+"),
                    .text("COUNT"),
                    .integer(Self.pageSize)
                )
            ])[0].streamEntries
            entries += page
            guard page.count == Self.pageSize, let last = page.last else { return entries }
            start = "(\(last.id)"
        }
    }

    private func payloadsExist(_ entries: [StoredEntry]) async throws(StoreError) -> [Bool] {
        var exist: [Bool] = []
        for start in stride(from: 0, to: entries.count, by: Self.pageSize) {
            let page = entries[start..<min(start + Self.pageSize, entries.count)]
            let replies = try await redis.replies(
                page.map { RedisCommand("EXISTS", .key(Keys.payload($0.notificationID ?? NotificationID("")))) }
            )
            exist += replies.map { $0.integer == 1 }
        }
        return exist
    }

    // MARK: - Removing

    /// Removes an entry; whether it was this call that did.
    private func remove(_ entry: StoredEntry, of user: UserKey) async throws(StoreError) -> Bool {
        let id = "\(entry.id)"
        let removed =
            try await redis.replies([RedisCommand("XDEL", .key(Keys.stream(user)), .text(id))])[0].integer == 1
        try await forget([entry], of: user)
        return removed
    }

    private func forget(_ entries: [StoredEntry], of user: UserKey) async throws(StoreError) {
        var commands: [RedisCommand] = []
        for entry in entries {
            if let id = entry.notificationID {
                commands.append(RedisCommand("HDEL", .key(Keys.state(user)), .text(id.text)))
            }
            commands.append(
                RedisCommand("XACK", .key(Keys.stream(user)), .text("\(Keys.group)"), .text("\(entry.id)"))
            )
        }
        _ = try await redis.replies(commands)
    }

    /// Drops fields of the state hash whose entries are gone.
    private func dropOrphans(
        of state: [String: String],
        _ entries: [StoredEntry],
        _ user: UserKey
    ) async throws(StoreError) -> Int {
        let present = Set(entries.compactMap { $0.notificationID?.text })
        let orphans = state.keys.filter { !present.contains($0) }
        guard !orphans.isEmpty else { return 0 }
        let replies = try await redis.replies(
            orphans.map { RedisCommand("HDEL", .key(Keys.state(user)), .text($0)) }
        )
        return replies.reduce(0) { $0 + Int($1.integer ?? 0) }
    }

    /// Drops marks and receipts of entries that are gone.
    ///
    /// - Parameters:
    ///   - marks, receipts: Read before the stream, like the state hash.
    ///   - kept: What is left of the stream after this round of keeping.
    private func dropTraces(
        marks: [String: String],
        receipts: [String: String],
        _ kept: [StoredEntry],
        _ user: UserKey
    ) async throws(StoreError) {
        let present = Set(kept.compactMap { $0.notificationID?.text })
        let oldMarks = marks.filter { !present.contains(InboxMarks.notification(field: $0.key, value: $0.value)) }.keys
        let oldReceipts = receipts.filter {
            Receipts.isOutdated(field: $0.key, value: $0.value, kept: kept, ids: present)
        }.keys
        var commands: [RedisCommand] = []
        for (key, fields) in [(Keys.marks(user), Array(oldMarks)), (Keys.receipts(user), Array(oldReceipts))] {
            for start in stride(from: 0, to: fields.count, by: Self.pageSize) {
                let some = fields[start..<min(start + Self.pageSize, fields.count)]
                commands.append(RedisCommand("HDEL", [.key(key)] + some.map { .text($0) }))
            }
        }
        _ = try await redis.replies(commands)
    }

    private func deleteIfIdle(_ user: UserKey, _ now: UInt64) async throws(StoreError) {
        _ = try await redis.replies([
            RedisCommand(
                "EVAL",
                .text("\(Scripts.deleteIdleStream)"),
                .integer(1),
                .key(Keys.stream(user)),
                .text(String(now - Self.emptyStreamMilliseconds))
            )
        ])
    }
}
