import CarillonDomain
import CarillonMetrics
import CarillonRedis

/// The pending list as a mirror of what is unread.
extension UserKeeper {
    /// Makes sure that the group exists, and acknowledges what is pending although it is read or gone.
    ///
    /// An id that is pending but has no entry was trimmed unread: whoever acknowledges it counts it.
    func repairPending(_ user: UserKey, _ state: [String: String]) async throws(StoreError) -> Int {
        var repaired = 0
        var start = "-"
        while true {
            guard let pending = try await pendingIDs(user, from: start) else {
                try await createGroup(user)
                return repaired
            }
            guard let last = pending.last else { return repaired }
            let entries = try await redis.replies(
                pending.map { RedisCommand("XRANGE", .key(Keys.stream(user)), .text("\($0)"), .text("\($0)")) }
            ).map(\.streamEntries.first)
            for (id, entry) in zip(pending, entries) {
                let isRead = entry?.notificationID.map { state[$0.text] == "read" } ?? false
                guard entry == nil || isRead else { continue }
                let wasPending =
                    try await redis.replies([
                        RedisCommand("XACK", .key(Keys.stream(user)), .text("\(Keys.group)"), .text("\(id)"))
                    ])[0].integer == 1
                guard wasPending else { continue }
                repaired += 1
                if entry == nil { metrics.unreadTrimmed.increment() }
            }
            guard pending.count == Self.pageSize else { return repaired }
            start = "(\(last)"
        }
    }

    /// A page of the pending list; nil where there is no group.
    private func pendingIDs(_ user: UserKey, from start: String) async throws(StoreError) -> [StreamID]? {
        let command = RedisCommand(
            "XPENDING",
            .key(Keys.stream(user)),
            .text("\(Keys.group)"),
            .text(start),
            .text("+"),
            .integer(Self.pageSize)
        )
        do throws(StoreError) {
            let rows = try await redis.replies([command])[0].array ?? []
            return rows.compactMap { $0.array?.first?.string.flatMap { StreamID($0) } }
        } catch {
            guard error.code == .refused, error.detail.hasPrefix("NOGROUP") else { throw error }
            return nil
        }
    }

    /// Only where there is a stream: one that is gone must not come back empty.
    private func createGroup(_ user: UserKey) async throws(StoreError) {
        do throws(StoreError) {
            _ = try await redis.replies([
                RedisCommand("XGROUP", .text("CREATE"), .key(Keys.stream(user)), .text("\(Keys.group)"), .text("0"))
            ])
        } catch {
            let isHarmless = error.detail.hasPrefix("BUSYGROUP") || error.detail.contains("requires the key to exist")
            guard error.code == .refused, isHarmless else { throw error }
        }
    }
}
