/// Several servers of Redis that a pod uses together.
package protocol RedisGroup: Sendable {
    /// The one that a client may begin with.
    var first: RedisProcess { get }
    /// What tells a pod where they are.
    var settings: [String: String] { get }
    func stop() async
}

extension SentinelGroup: RedisGroup {
    package var first: RedisProcess { servers[0] }

    package var settings: [String: String] {
        ["REDIS_ADDR": "", "REDIS_SENTINELS": addresses, "REDIS_PASSWORD": password ?? ""]
    }
}

extension ClusterGroup: RedisGroup {
    package var first: RedisProcess { primaries[0] }

    package var settings: [String: String] { ["REDIS_ADDR": "", "REDIS_CLUSTER": addresses] }
}
