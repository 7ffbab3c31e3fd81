import Foundation

/// A primary, its replicas and Sentinels that watch over them, all private and on free ports.
package final class SentinelGroup: Sendable {
    package static let primaryName = "mymaster"

    /// The first one begins as the primary.
    package let servers: [RedisProcess]
    package let sentinels: [RedisProcess]
    let password: String?

    /// What `REDIS_SENTINELS` is to be.
    package var addresses: String { sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") }

    /// Starts all of them and waits until every Sentinel knows the others and the replicas.
    ///
    /// - Parameter downAfter: Milliseconds without an answer after which a Sentinel takes a server for dead.
    package static func start(
        replicas: Int = 2,
        sentinels: Int = 3,
        downAfter: Int = 2_000,
        password: String? = nil
    ) async throws -> SentinelGroup {
        let arguments = password.map { ["--requirepass", $0, "--masterauth", $0] } ?? []
        let primary = try await RedisProcess.startSingle(arguments)
        var servers = [primary]
        for _ in 0..<replicas {
            let replica = ["--replicaof", "127.0.0.1 \(primary.port)", "--repl-diskless-sync-delay", "0"]
            servers.append(try await RedisProcess.startSingle(arguments + replica))
        }
        var watchers: [RedisProcess] = []
        for _ in 0..<sentinels {
            let watcher = try await RedisProcess.startSentinel(
                of: primary.port,
                name: primaryName,
                password: password,
                downAfter: downAfter
            )
            watchers.append(watcher)
        }
        let group = SentinelGroup(servers: servers, sentinels: watchers, password: password)
        try await wait(until: "the Sentinels know each other and the replicas", within: .seconds(30)) {
            for replica in group.servers.dropFirst() {
                let redis = try WireRedis(port: replica.port)
                if let password { try await redis(["AUTH", password]) }
                let info = try await redis(["INFO", "replication"]).string ?? ""
                guard info.contains("master_link_status:up") else { return false }
            }
            for sentinel in group.sentinels {
                let fields = try await group.fields(of: sentinel)
                guard fields["num-other-sentinels"] == "\(sentinels - 1)", fields["num-slaves"] == "\(replicas)" else {
                    return false
                }
            }
            return true
        }
        return group
    }

    private init(servers: [RedisProcess], sentinels: [RedisProcess], password: String?) {
        self.password = password
        self.servers = servers
        self.sentinels = sentinels
    }

    package func stop() async {
        for process in sentinels + servers { await process.stop() }
    }

    /// What a Sentinel says of the primary.
    package func fields(of sentinel: RedisProcess) async throws -> [String: String] {
        let reply = try await WireRedis(port: sentinel.port)(["SENTINEL", "MASTER", Self.primaryName]).strings
        return Dictionary(
            stride(from: 0, to: reply.count - 1, by: 2).map { (reply[$0], reply[$0 + 1]) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The server that the Sentinels' majority takes for the primary; nil while they do not agree.
    package func primary() async throws -> RedisProcess? {
        var votes: [Int: Int] = [:]
        for sentinel in sentinels {
            guard let port = try? await fields(of: sentinel)["port"].flatMap({ Int($0) }) else { continue }
            votes[port, default: 0] += 1
        }
        guard let winner = votes.max(by: { $0.value < $1.value }), winner.value * 2 > sentinels.count else {
            return nil
        }
        return servers.first { $0.port == winner.key }
    }
}
