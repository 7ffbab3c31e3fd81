import Foundation
import Synchronization

/// A Redis Cluster of private processes on free ports: primaries, and replicas of them in the same order.
package final class ClusterGroup: Sendable {
    package let primaries: [RedisProcess]
    package let replicas: [RedisProcess]
    /// Those that joined later.
    private let joined = Mutex<[RedisProcess]>([])

    package var processes: [RedisProcess] { primaries + replicas + joined.withLock { $0 } }

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
            // Nobody takes another part by himself: a primary that has given its last slot away stays one.
            "--cluster-allow-replica-migration", "no",
        ]
        return try await RedisProcess.startSingle(own + arguments)
    }

    private init(_ primaries: [RedisProcess], _ replicas: [RedisProcess]) {
        self.primaries = primaries
        self.replicas = replicas
    }

    package func stop() async {
        for process in processes { await process.stop() }
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

    // MARK: - Nodes that come and go

    /// Starts a node, and a replica of it, that become part of the cluster and serve nothing yet.
    package func add(nodeTimeout: Int = 1_000, _ arguments: [String] = []) async throws -> RedisProcess {
        let (node, replica) = (
            try await Self.startNode(nodeTimeout, arguments), try await Self.startNode(nodeTimeout, arguments)
        )
        joined.withLock { $0 += [node, replica] }
        for process in [node, replica] { try await meet(process) }
        let id = try await Self.id(of: node)
        try await wait(until: "the replica knows its primary", within: .seconds(20)) {
            (try? await WireRedis(port: replica.port)(["CLUSTER", "REPLICATE", id])) != nil
        }
        try await wait(until: "all nodes know the new ones", within: .seconds(20)) {
            let count = self.processes.count
            for process in self.processes {
                let info = try await WireRedis(port: process.port)(["CLUSTER", "INFO"]).string ?? ""
                guard info.contains("cluster_state:ok"), info.contains("cluster_known_nodes:\(count)") else {
                    return false
                }
            }
            return true
        }
        return node
    }

    /// Ends what `add` started, which must serve nothing any more, and has the others forget it.
    ///
    /// - Source: Redis command CLUSTER FORGET
    package func removeAdded() async throws {
        let gone = joined.withLock { joined in
            defer { joined = [] }
            return joined
        }
        var ids: [String] = []
        for node in gone { ids.append(try await Self.id(of: node)) }
        for node in gone { await node.stop() }
        // A replica whose primary is forgotten first would be left without one, so not by name but from the last on.
        for id in ids.reversed() {
            for node in processes { try await WireRedis(port: node.port)(["CLUSTER", "FORGET", id]) }
        }
    }

    /// Moves the slots of these keys to a node. - Returns: those that were moved, and from where.
    @discardableResult
    package func move(slotsOf keys: [String], to target: RedisProcess) async throws -> [(slot: Int, from: RedisProcess)]
    {
        var moved: [(slot: Int, from: RedisProcess)] = []
        for key in keys {
            let slot = try await WireRedis(port: target.port)(["CLUSTER", "KEYSLOT", key]).int ?? -1
            let owner = try await port(serving: key, seenBy: target)
            guard let source = processes.first(where: { $0.port == owner }), source !== target else { continue }
            try await move(slot: slot, from: source, to: target)
            moved.append((slot, source))
        }
        return moved
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
            for node in self.processes + [target] where node.pid != 0 {
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
