import Foundation

/// A Redis Cluster of private processes on free ports: primaries, and replicas of them in the same order.
package final class ClusterGroup: Sendable {
    package let primaries: [RedisProcess]
    package let replicas: [RedisProcess]

    /// What `REDIS_CLUSTER` is to be.
    package var addresses: String { primaries.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") }

    /// Starts all of them, shares the slots out, and waits until every node says that the cluster serves.
    ///
    /// - Parameters:
    ///   - replicas: Of each primary.
    ///   - nodeTimeout: Milliseconds without an answer after which a node is taken for dead.
    package static func start(
        primaries: Int = 3,
        replicas: Int = 0,
        nodeTimeout: Int = 1_000,
        _ arguments: [String] = []
    ) async throws -> ClusterGroup {
        var nodes: [RedisProcess] = []
        for _ in 0..<primaries * (1 + replicas) { nodes.append(try await startNode(nodeTimeout, arguments)) }
        let group = ClusterGroup(Array(nodes.prefix(primaries)), Array(nodes.dropFirst(primaries)))
        try await group.join()
        return group
    }

    /// A node that belongs to no cluster yet.
    package static func startNode(_ nodeTimeout: Int = 1_000, _ arguments: [String] = []) async throws -> RedisProcess {
        let own = [
            "--cluster-enabled", "yes", "--cluster-node-timeout", "\(nodeTimeout)", "--cluster-port",
            "\(try BuiltProgram.freePort())", "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay",
            "0",
        ]
        return try await RedisProcess.startSingle(own + arguments)
    }

    private init(_ primaries: [RedisProcess], _ replicas: [RedisProcess]) {
        self.primaries = primaries
        self.replicas = replicas
    }

    package func stop() async {
        for process in replicas + primaries { await process.stop() }
    }

    private func join() async throws {
        for (index, primary) in primaries.enumerated() {
            let redis = try WireRedis(port: primary.port)
            let bounds = [index, index + 1].map { $0 * 16_384 / primaries.count }
            try await redis(["CLUSTER", "ADDSLOTSRANGE", "\(bounds[0])", "\(bounds[1] - 1)"])
            try await redis(["CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)"])
        }
        for node in (primaries + replicas).dropFirst() { try await meet(node) }
        for (index, replica) in replicas.enumerated() {
            let id = try await Self.id(of: primaries[index % primaries.count])
            try await wait(until: "the replica knows its primary", within: .seconds(20)) {
                (try? await WireRedis(port: replica.port)(["CLUSTER", "REPLICATE", id])) != nil
            }
        }
        try await serves(primaries + replicas)
    }

    /// Makes a node known to the others.
    package func meet(_ node: RedisProcess) async throws {
        let busPort = try await WireRedis(port: node.port)(["CONFIG", "GET", "cluster-port"]).strings.last ?? ""
        try await WireRedis(port: primaries[0].port)(["CLUSTER", "MEET", "127.0.0.1", "\(node.port)", busPort])
    }

    /// Waits until all these nodes know each other, and say that all slots are served.
    package func serves(_ nodes: [RedisProcess]) async throws {
        try await wait(until: "the cluster serves", within: .seconds(30)) {
            for node in nodes {
                let redis = try WireRedis(port: node.port)
                let info = try await redis(["CLUSTER", "INFO"]).string ?? ""
                guard info.contains("cluster_state:ok"), info.contains("cluster_known_nodes:\(nodes.count)") else {
                    return false
                }
                let lines = try await redis(["CLUSTER", "NODES"]).string ?? ""
                guard lines.ranges(of: "slave").count == self.replicas.count else { return false }
            }
            return true
        }
        try await wait(until: "the replicas have what there is", within: .seconds(30)) {
            for replica in self.replicas {
                let info = try await WireRedis(port: replica.port)(["INFO", "replication"]).string ?? ""
                guard info.contains("role:master") || info.contains("master_link_status:up") else { return false }
            }
            return true
        }
    }

    package static func id(of node: RedisProcess) async throws -> String {
        try await WireRedis(port: node.port)(["CLUSTER", "MYID"]).string ?? ""
    }

    /// The port of the node that serves a key, as one node sees it.
    package func port(serving key: String, seenBy node: RedisProcess? = nil) async throws -> Int? {
        let redis = try WireRedis(port: (node ?? primaries[0]).port)
        let slot = try await redis(["CLUSTER", "KEYSLOT", key]).int ?? -1
        for range in try await redis(["CLUSTER", "SLOTS"]).array {
            guard let first = range.array[0].int, let last = range.array[1].int, (first...last).contains(slot) else {
                continue
            }
            return range.array[2].array[1].int
        }
        return nil
    }

    /// Moves a slot with its keys from one node to another, as `redis-cli --cluster reshard` does.
    ///
    /// - Source: Redis command CLUSTER SETSLOT, "Redis Cluster live resharding explained"
    package func move(slot: Int, from source: RedisProcess, to target: RedisProcess) async throws {
        let (from, to) = (try WireRedis(port: source.port), try WireRedis(port: target.port))
        let (sourceID, targetID) = (try await Self.id(of: source), try await Self.id(of: target))
        try await to(["CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", sourceID])
        try await from(["CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", targetID])
        while true {
            let keys = try await from(["CLUSTER", "GETKEYSINSLOT", "\(slot)", "10"]).strings
            guard !keys.isEmpty else { break }
            try await from(["MIGRATE", "127.0.0.1", "\(target.port)", "", "0", "5000", "KEYS"] + keys)
        }
        for redis in [to, from] { try await redis(["CLUSTER", "SETSLOT", "\(slot)", "NODE", targetID]) }
        // The target has taken a higher epoch. Another move before all have heard of it could go by a lower one, and be taken back.
        let epoch = try await Self.epoch(of: targetID, seenBy: target)
        try await wait(until: "all nodes have heard of the move", within: .seconds(20)) {
            for node in self.primaries + self.replicas + [target] where node.pid != 0 {
                guard try await Self.epoch(of: targetID, seenBy: node) == epoch else { return false }
            }
            return true
        }
    }

    private static func epoch(of id: String, seenBy node: RedisProcess) async throws -> Substring? {
        let lines =
            try await WireRedis(port: node.port)(["CLUSTER", "NODES"]).string?.split(whereSeparator: \.isNewline) ?? []
        return lines.first { $0.hasPrefix(id) }?.split(separator: " ")[6]
    }
}
