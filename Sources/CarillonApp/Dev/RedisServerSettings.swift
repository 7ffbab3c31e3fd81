/// What Carillon asks of Redis, the same as in `scripts/redis.conf` (a test compares both).
enum RedisServerSettings {
    /// Where the file with the reasons is, below the working directory of a checkout.
    static let file = "scripts/redis.conf"

    static let all: [(name: String, value: String)] = [
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("save", ""),
        ("maxmemory-policy", "noeviction"),
        ("stream-node-max-entries", "16"),
        ("stream-node-max-bytes", "1024"),
    ]

    static var arguments: [String] {
        all.flatMap { ["--\($0.name)", $0.value] }
    }
}
