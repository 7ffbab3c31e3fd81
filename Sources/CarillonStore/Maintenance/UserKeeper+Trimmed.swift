import CarillonDomain
import CarillonMetrics
import CarillonRedis

/// Where a stream and its consumer group stood at one moment.
struct GroupPosition {
    /// Entries ever added to the stream.
    let added: Int
    let lastGenerated: StreamID
    let lastDelivered: StreamID
    /// How many of `added` count as handed out; nil where Redis does not know.
    let handedOut: Int?

    /// - Parameters:
    ///   - stream: Reply of XINFO STREAM; null where there is none.
    ///   - groups: Reply of XINFO GROUPS.
    init?(stream: RedisValue, groups: RedisValue) {
        let facts = Dictionary(stream.fields.map { ($0.name, $0.value) }) { $1 }
        guard let added = facts["entries-added"]?.integer, let last = facts["last-generated-id"]?.string else {
            return nil
        }
        self.added = Int(added)
        lastGenerated = StreamID(last) ?? .zero
        let group = (groups.array ?? []).map { Dictionary($0.fields.map { ($0.name, $0.value) }) { $1 } }.first {
            $0["name"]?.string == "\(Keys.group)"
        }
        lastDelivered = group?["last-delivered-id"]?.string.flatMap { StreamID($0) } ?? .zero
        handedOut = group?["entries-read"]?.integer.map(Int.init) ?? (lastDelivered == .zero ? 0 : nil)
    }
}

/// Unread entries that STREAM_MAXLEN newer ones pushed out while nobody was there to be handed them.
///
/// Those that were handed out are in the pending list, where `repairPending` finds and counts them. Of the others only numbers
/// are left: how many were ever added, and how many count as handed out. What is neither handed out nor there was trimmed; the
/// group's counter is then set so that it is counted once.
///
/// - Source: Redis commands XINFO STREAM, XINFO GROUPS, XGROUP SETID
extension UserKeeper {
    func position(of user: UserKey) async throws(StoreError) -> GroupPosition? {
        let replies = try await redis.tolerantReplies([
            RedisCommand("XINFO", .text("STREAM"), .key(Keys.stream(user))),
            RedisCommand("XINFO", .text("GROUPS"), .key(Keys.stream(user))),
        ])
        return GroupPosition(stream: replies[0], groups: replies[1])
    }

    /// - Parameters:
    ///   - position: Asked for before `entries` were read.
    ///   - entries: The whole stream.
    ///   - kept: What is left of it after this round of keeping.
    func countTrimmed(
        _ user: UserKey,
        _ position: GroupPosition,
        _ entries: [StoredEntry],
        kept: [StoredEntry]
    ) async throws(StoreError) {
        func waiting(_ entries: [StoredEntry]) -> Int {
            entries.count { $0.id > position.lastDelivered && $0.id <= position.lastGenerated }
        }
        if let handedOut = position.handedOut {
            let trimmed = position.added - handedOut - waiting(entries)
            if trimmed > 0 { metrics.unreadTrimmed.increment(by: trimmed) }
        }
        let counted = position.added - waiting(kept)
        guard counted != position.handedOut else { return }
        _ = try await redis.replies([
            RedisCommand(
                "XGROUP",
                .text("SETID"),
                .key(Keys.stream(user)),
                .text("\(Keys.group)"),
                .text("\(position.lastDelivered)"),
                .text("ENTRIESREAD"),
                .integer(counted)
            )
        ])
    }
}
