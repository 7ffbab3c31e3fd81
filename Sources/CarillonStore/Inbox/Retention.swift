package import CarillonDomain
import CarillonRedis

extension InboxStore {
    /// Sets how long the user's entries are kept, and has the trimmer look at him at its next run.
    package func setRetention(days: Int, of user: UserKey, completion: @escaping (Bool) -> Void) {
        send("SET", arguments: 2) { arguments in
            arguments.key(Keys.retention(user))
            arguments.integer(days)
        } reply: { result in
            completion((try? result.get()) != nil)
        }
        let today = Keys.trimming(day: Timestamp.nowMilliseconds() / 86_400_000, redis.shard(of: user))
        send("SADD", arguments: 2) { arguments in
            arguments.key(today)
            arguments.bulk(user.text)
        }
        send("EXPIRE", arguments: 2) { arguments in
            arguments.key(today)
            arguments.integer(17 * 86_400)
        }
    }
}

extension InboxReader {
    /// How many days the user's entries are kept.
    package func retentionDays(of user: UserKey) async throws(StoreError) -> Int {
        try await redis.replies([RedisCommand("GET", .key(Keys.retention(user)))])[0].retentionDays
    }
}

extension RedisValue {
    /// The days that a user's retention key says. What another program wrote counts only if it is a number that a user may set.
    var retentionDays: Int {
        let days = string.flatMap { Int($0) } ?? Limits.defaultRetentionDays
        return Limits.retentionDays.contains(days) ? days : Limits.defaultRetentionDays
    }
}
