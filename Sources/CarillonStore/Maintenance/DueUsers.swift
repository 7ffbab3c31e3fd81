package import CarillonDomain
import CarillonRedis

/// The users that were due at one look, the longest due first.
///
/// Users are popped, so that pods share the work without doing it twice. What a pod popped and did not finish, the sweep finds.
///
/// - Isolation: any task
package struct DueUsers: Sendable {
    private let redis: RedisClient
    /// Where they are, the next key last.
    private var keys: [RedisKey]

    /// Users of one SPOP.
    package static let batch = 128

    /// - Parameter keys: The longest due first.
    init(redis: RedisClient, keys: [RedisKey]) {
        self.redis = redis
        self.keys = keys.reversed()
    }

    /// Takes some of them; empty when there are none left.
    package mutating func pop() async throws(StoreError) -> [UserKey] {
        while let key = keys.last {
            let members =
                try await redis.replies([RedisCommand("SPOP", .key(key), .integer(Self.batch))])[0].array ?? []
            // It has given all it had; who comes to it later waits for the next look.
            if members.count < Self.batch { keys.removeLast() }
            let users = members.compactMap { $0.string.flatMap { UserKey(text: $0) } }
            if !users.isEmpty { return users }
        }
        return []
    }
}
