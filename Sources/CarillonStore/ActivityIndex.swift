package import CarillonDomain
import CarillonRedis

/// Who was notified lately and whose payloads expire when, so that workers go to the users that changed and to no others.
///
/// Entries are collected on the loop and leave twenty times a second as variadic commands: a fraction of a command per
/// notification. What a crash loses of it, the sweep over all streams finds. Times are Redis's, as stream ids tell them: a pod's
/// clock may be wrong.
///
/// - Isolation: the event loop
package final class ActivityIndex {
    private let redis: any Redis
    private let settings: StoreSettings
    private var recent: [UserKey: UInt64] = [:]
    private var expiring: [UInt64: Set<UserKey>] = [:]
    /// Users whose entries of today are known to the trimming index.
    private var trimmingToday: Set<UserKey> = []
    private var trimmingNew: [UserKey] = []
    private var today: UInt64 = 0

    /// Users beyond these are left out of admin lists; in a cluster each shard keeps its part of them.
    static let recentUsers = 100_000
    /// Members of one command.
    private static let chunk = 512

    init(redis: any Redis, settings: StoreSettings) {
        self.redis = redis
        self.settings = settings
    }

    /// Notes that `user` got the entry `id`, whose payload lives for `ttlSeconds`.
    package func notified(_ user: UserKey, _ id: StreamID, ttlSeconds: Int) {
        recent[user] = id.milliseconds
        let expiry = id.milliseconds + UInt64(ttlSeconds) * 1_000
        expiring[expiry / Keys.slotMilliseconds + 1, default: []].insert(user)
        if id.milliseconds / UserKeeper.dayMilliseconds != today {
            today = id.milliseconds / UserKeeper.dayMilliseconds
            trimmingToday.removeAll()
        }
        if trimmingToday.insert(user).inserted { trimmingNew.append(user) }
    }

    /// Tells Redis what was collected.
    package func flush() {
        guard redis.isReady else { return }
        for (shard, rows) in divide(Array(recent), by: { $0.key }) { note(rows, in: Keys.recentUsers(shard)) }
        recent.removeAll(keepingCapacity: true)
        for (slot, users) in expiring {
            // The set outlives its slot by an hour: time enough for some pod to come back and work it off.
            let begin = slot * Keys.slotMilliseconds / 1_000
            for (shard, users) in divide(Array(users), by: \.self) {
                add(users, to: Keys.expired(slot: slot, shard), until: begin + 3_600)
            }
        }
        expiring.removeAll(keepingCapacity: true)
        for (shard, users) in divide(trimmingNew, by: \.self) {
            add(users, to: Keys.trimming(day: today + 1, shard), until: (today + 18) * 86_400)
        }
        trimmingNew.removeAll(keepingCapacity: true)
    }

    private func divide<Row>(_ rows: [Row], by user: (Row) -> UserKey) -> [(shard: UserShard, rows: [Row])] {
        UserShard.divide(rows, isSharded: redis.isSharded, by: user)
    }

    /// Notes when users were notified, and forgets those for whom there is no room.
    private func note(_ users: [(key: UserKey, value: UInt64)], in key: RedisKey) {
        chunks(users) { rows in
            redis.send("ZADD", arguments: 1 + rows.count * 2, to: IgnoredReply.shared) { arguments in
                arguments.key(key)
                for (user, time) in rows {
                    arguments.integer(time)
                    arguments.bulk(user.text)
                }
            }
        }
        let most = redis.isSharded ? Self.recentUsers / UserShard.count : Self.recentUsers
        redis.send("ZREMRANGEBYRANK", arguments: 3, to: IgnoredReply.shared) { arguments in
            arguments.key(key)
            arguments.integer(0)
            arguments.integer(-1 - most)
        }
    }

    /// - Parameter end: When the set goes, in Unix seconds.
    private func add(_ users: [UserKey], to key: RedisKey, until end: UInt64) {
        chunks(users) { rows in
            redis.send("SADD", arguments: 1 + rows.count, to: IgnoredReply.shared) { arguments in
                arguments.key(key)
                for user in rows { arguments.bulk(user.text) }
            }
        }
        redis.send("EXPIREAT", arguments: 2, to: IgnoredReply.shared) { arguments in
            arguments.key(key)
            arguments.integer(end)
        }
    }

    private func chunks<Row>(_ rows: [Row], _ body: (ArraySlice<Row>) -> Void) {
        for start in stride(from: 0, to: rows.count, by: Self.chunk) {
            body(rows[start..<min(start + Self.chunk, rows.count)])
        }
    }
}

@available(*, unavailable)
extension ActivityIndex: Sendable {}
