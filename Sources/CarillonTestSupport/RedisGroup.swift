/// A primary and the replicas of what it holds.
package struct RedisShard: Sendable {
    package let primary: RedisProcess
    package let replicas: [RedisProcess]
}

/// One server of Redis, or several that a pod uses together.
package protocol RedisGroup: Sendable {
    /// The one that a client may begin with.
    var first: RedisProcess { get }
    /// What tells a pod where they are.
    var settings: [String: String] { get }
    /// All that may have to be started again, those that watch over the others as well.
    var processes: [RedisProcess] { get }

    /// Who holds which part of the keys just now; several parts only in a cluster.
    ///
    /// - Parameter absent: A server that does not answer, and is not asked.
    /// - Throws: `WireError` while the servers do not agree.
    func shards(without absent: RedisProcess?) async throws -> [RedisShard]

    /// Has a replica take the place of its primary, by hand and in good order.
    func failOver(_ shard: RedisShard) async throws

    func stop() async
}

extension RedisGroup {
    package func shards() async throws -> [RedisShard] { try await shards(without: nil) }

    /// Waits until another server has the place of this primary.
    package func promotes(insteadOf primary: RedisProcess, within time: Duration = .seconds(30)) async throws {
        try await wait(until: "a replica has the primary's place", within: time) {
            guard let shards = try? await self.shards(without: primary) else { return false }
            return shards.allSatisfy { $0.primary !== primary }
        }
    }

    /// Waits until every server that holds data has its place, and every replica what its primary has.
    package func isWhole(within time: Duration = .seconds(30)) async throws {
        try await wait(until: "every replica has what its primary has", within: time) {
            guard let shards = try? await self.shards() else { return false }
            let replicas = shards.flatMap(\.replicas)
            guard shards.count + replicas.count == self.holders.count else { return false }
            for replica in replicas {
                let info = try? await WireRedis(port: replica.port)(["INFO", "replication"]).string
                guard info?.contains("master_link_status:up") == true else { return false }
            }
            return true
        }
    }

    /// Has all servers run again that were killed or paused, and waits until they are whole.
    package func mend() async throws {
        for process in processes {
            process.resume()
            if process.pid == 0 { try await process.restart() }
        }
        try await isWhole()
    }

    /// Those that hold data.
    private var holders: [RedisProcess] { processes.filter { !$0.isSentinel } }
}

/// One server alone.
package struct SingleRedis: RedisGroup {
    package let first: RedisProcess
    package var processes: [RedisProcess] { [first] }
    package var settings: [String: String] { ["REDIS_ADDR": "127.0.0.1:\(first.port)"] }

    package init(_ process: RedisProcess) { first = process }

    package func shards(without absent: RedisProcess?) -> [RedisShard] { [RedisShard(primary: first, replicas: [])] }

    package func failOver(_ shard: RedisShard) throws { throw WireError.unexpected("a server alone has no replica") }

    package func stop() async { await first.stop() }
}

extension SentinelGroup: RedisGroup {
    package var first: RedisProcess { servers[0] }
    package var processes: [RedisProcess] { servers + sentinels }

    package var settings: [String: String] {
        ["REDIS_ADDR": "", "REDIS_SENTINELS": addresses, "REDIS_PASSWORD": password ?? ""]
    }

    package func shards(without absent: RedisProcess?) async throws -> [RedisShard] {
        guard let primary = try await primary() else {
            throw WireError.unexpected("the Sentinels do not agree on a primary")
        }
        let replicas = servers.filter { $0 !== primary && $0 !== absent }
        for server in [primary] + replicas {
            let role = try await redis(server)(["ROLE"]).array.first?.string
            guard role == (server === primary ? "master" : "slave") else {
                throw WireError.unexpected("a server does not know its part yet: \(role ?? "none")")
            }
        }
        return [RedisShard(primary: primary, replicas: replicas)]
    }

    package func failOver(_ shard: RedisShard) async throws {
        try await WireRedis(port: sentinels[0].port)(["SENTINEL", "FAILOVER", Self.primaryName])
        try await promotes(insteadOf: shard.primary)
    }
}

extension ClusterGroup: RedisGroup {
    package var first: RedisProcess { primaries[0] }

    package var settings: [String: String] { ["REDIS_ADDR": "", "REDIS_CLUSTER": addresses] }

    package func shards(without absent: RedisProcess?) async throws -> [RedisShard] {
        guard let witness = processes.first(where: { $0 !== absent && $0.pid != 0 }) else { return [] }
        let lines = try await WireRedis(port: witness.port)(["CLUSTER", "NODES"]).string ?? ""
        let nodes = lines.split(whereSeparator: \.isNewline).map { $0.split(separator: " ") }
        func process(_ node: [Substring]) -> RedisProcess? {
            processes.first { node[1].contains(":\($0.port)@") }
        }
        // Without the primary of some slots there is no place that is not doubtful.
        let isWhole = try await WireRedis(port: witness.port)(["CLUSTER", "INFO"]).string?.contains("cluster_state:ok")
        guard isWhole == true else { throw WireError.unexpected("the cluster does not serve") }
        return nodes.filter { $0[2].contains("master") && $0.count > 8 }.compactMap { node in
            let own = nodes.filter { $0[3] == node[0] && !$0[2].contains("fail") }.compactMap(process)
            return process(node).map { RedisShard(primary: $0, replicas: own) }
        }
    }

    package func failOver(_ shard: RedisShard) async throws {
        guard let replica = shard.replicas.first else { throw WireError.unexpected("the primary has no replica") }
        try await WireRedis(port: replica.port)(["CLUSTER", "FAILOVER"])
        try await promotes(insteadOf: shard.primary)
    }
}
