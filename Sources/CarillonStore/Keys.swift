import CarillonDomain
import CarillonRedis

/// Every Redis key that the hub uses, and nothing else; the names are contract.
///
/// Those that hold something of every user are spread in a cluster: there `:0` to `:15` stands behind the name (`UserShard`).
enum Keys {
    /// Stream: one entry per notification of the user, field `nid` = uuid.
    static func stream(_ user: UserKey) -> RedisKey { RedisKey("stream:user:", user.text) }
    /// String with a TTL: the payload as JSON.
    static func payload(_ id: NotificationID) -> RedisKey { RedisKey("notification:", id.text) }
    /// Hash: uuid → `read`.
    static func state(_ user: UserKey) -> RedisKey { RedisKey("notification_state:", user.text) }
    /// Hash: `seen:{uuid}`, `archived:{uuid}`, `snoozed:{uuid}` → milliseconds; `collapse:{key}` → stream id and uuid. What the
    /// user did besides reading.
    static func marks(_ user: UserKey) -> RedisKey { RedisKey("notif:inbox:", user.text) }
    /// Hash: `{uuid}:…` → when, and to how many devices, a notification was given, and when it was read.
    static func receipts(_ user: UserKey) -> RedisKey { RedisKey("notif:receipts:", user.text) }
    /// Stream: one entry per notification for a topic, field `nid` = uuid; without a name for everybody.
    static func topic(_ topic: Topic) -> RedisKey { RedisKey("notif:topic:", topic.name) }
    /// Hash with a TTL: `sub:{topic}` → stream id; `read:{uuid}`, `gone:{uuid}` and the marks → milliseconds. What a user has to do
    /// with topics.
    static func topics(_ user: UserKey) -> RedisKey { RedisKey("notif:topics:", user.text) }
    /// Hash with a TTL: `{uuid}:devices`, `{uuid}:first`, `{uuid}:reads`, `collapse:{key}`. What became of a topic's notifications.
    static func receipts(_ topic: Topic) -> RedisKey { RedisKey("notif:topic-receipts:", topic.name) }
    /// Sorted set: user, stream id and uuid → when the snooze ends.
    static func snoozed(_ shard: UserShard) -> RedisKey { RedisKey("notif:snoozed", shard.suffix) }
    /// String with a TTL: the pod that keeps the user's consumer group.
    static func lock(_ user: UserKey) -> RedisKey { RedisKey("notif:lock:consumer:", user.text) }
    /// String: days that the user's entries are kept.
    static func retention(_ user: UserKey) -> RedisKey { RedisKey("notif:retention:", user.text) }
    /// Hash with a TTL: pod → unix second at which its word expires. Presence: who holds devices of the user.
    static func presence(_ user: UserKey) -> RedisKey { RedisKey("notif:conn:", user.text) }
    /// Stream, capped: what other pods tell this one.
    static func bus(_ pod: String) -> RedisKey { RedisKey("notif:bus:", pod) }
    /// Hash: connection id → milliseconds since 1970 and user. The open connections of a pod, for admin lists.
    static func clients(_ pod: String) -> RedisKey { RedisKey("notif:clients:", pod) }
    /// String with a TTL: the run id of the process that owns the pod's name.
    static func podOwner(_ pod: String) -> RedisKey { RedisKey("notif:pod:", pod) }
    /// Hash with a TTL of a day: the reservation of an Idempotency-Key.
    static func idempotency(_ key: String) -> RedisKey { RedisKey("notif:idem:", key) }
    /// Hash: pod → unix seconds.
    static let heartbeats = RedisKey("notif:pods:hb", "")
    /// Sorted set, capped: user → milliseconds of the last notification. What admin lists walk over.
    static func recentUsers(_ shard: UserShard) -> RedisKey { RedisKey("notif:users:recent", shard.suffix) }
    /// Set with a TTL: users with payloads that have expired when this slot of ten seconds begins.
    static func expired(slot: UInt64, _ shard: UserShard) -> RedisKey {
        RedisKey("notif:expired:", "\(slot)\(shard.suffix)")
    }
    static let slotMilliseconds: UInt64 = 10_000
    /// Set with a TTL: users with entries that reach the end of their retention on a day since 1970.
    static func trimming(day: UInt64, _ shard: UserShard) -> RedisKey {
        RedisKey("notif:trimming:", "\(day)\(shard.suffix)")
    }
    /// String with a TTL: the pod that sweeps over all streams just now.
    static let sweeper = RedisKey("notif:sweeper", "")
    /// String with a TTL: where the sweep goes on.
    static let sweepCursor = RedisKey("notif:sweep:cursor", "")

    static let streamPrefix = "stream:user:"
    /// The one consumer group of each stream.
    static let group: StaticString = "notifications"
}
