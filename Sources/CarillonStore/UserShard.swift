package import CarillonDomain
import CarillonRedis

/// A part of a key that holds something of every user.
///
/// In a cluster such a key would be the work, and the memory, of one server. There it is sixteen keys, and a user's name says in
/// which of them he is. On one server nothing would be gained: the key is whole.
package struct UserShard: Hashable, Sendable {
    /// With twice as many a pod's batches come apart, and no server has less to do: few clusters have more than sixteen.
    package static let count = 16
    /// The only one where keys are not sharded.
    static let whole = UserShard(suffix: "")

    /// What the key's name ends with.
    let suffix: String

    private init(suffix: String) { self.suffix = suffix }

    private init(_ number: Int) { self.init(suffix: ":\(number)") }

    /// Where a user is in a cluster. Part of the contract: pods of all versions must say the same.
    package static func number(of user: UserKey) -> Int { Int(HashSlot.of(user.text.utf8)) % count }

    static func all(isSharded: Bool) -> [UserShard] { isSharded ? (0..<count).map { UserShard($0) } : [whole] }

    static func of(_ user: UserKey, isSharded: Bool) -> UserShard {
        isSharded ? UserShard(number(of: user)) : whole
    }

    /// Divides rows by the shards of their users; shards without any are left out.
    static func divide<Row>(
        _ rows: [Row],
        isSharded: Bool,
        by user: (Row) -> UserKey
    ) -> [(shard: UserShard, rows: [Row])] {
        guard !rows.isEmpty else { return [] }
        guard isSharded else { return [(whole, rows)] }
        return Dictionary(grouping: rows) { number(of: user($0)) }.map { (UserShard($0.key), $0.value) }
    }
}

extension Redis {
    func shard(of user: UserKey) -> UserShard { .of(user, isSharded: isSharded) }
}

extension RedisClient {
    var shards: [UserShard] { UserShard.all(isSharded: isSharded) }

    func shard(of user: UserKey) -> UserShard { .of(user, isSharded: isSharded) }
}
