internal import CarillonTestSupport

/// A hub that can be put under load, with all that it needs.
protocol Hub: Sendable {
    var name: String { get }
    /// Starts everything anew and empty, and returns once it serves.
    func start() async throws
    /// Ends what serves devices without a word and starts it again; what it has stored stays.
    func crash() async throws
    func restart() async throws
    func stop() async
    func wire(_ shape: LoadShape) async throws -> HubWire
    /// The hub's own processes; nil where they run elsewhere.
    func processes() async -> ProcessMeter?
    /// The Redis behind it; nil where there is none or it is not known.
    func redis() async -> RedisProcess?
}

/// Something that keeps a bench from measuring at all.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension RedisProcess {
    /// As `scripts/redis.conf` has it; and no rewrite of the log falls into a measurement.
    static func startForBench() async throws -> RedisProcess {
        try await start([
            "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0",
            "--maxmemory-policy", "noeviction", "--maxclients", "15000", "--stream-node-max-entries", "16",
            "--stream-node-max-bytes", "1024",
        ])
    }
}
