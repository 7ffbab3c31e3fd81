import CarillonTestSupport
import NIOCore

/// Redis dies without a word and comes back with what it has on disk.
struct RedisKilled: Fault {
    let downtime: Duration
    /// Every write is on disk before it is answered, so nothing at all may be gone.
    let isSynced: Bool

    var record: FaultRecord {
        FaultRecord(
            name: isSynced ? "redis-killed-synced" : "redis-killed",
            detail: "away for \(downtime.inSeconds), appendfsync \(isSynced ? "always" : "everysec")",
            excuse: isSynced ? .nothing : .unsynced(.seconds(2))
        )
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        if isSynced {
            try await world.command("CONFIG", "SET", "appendfsync", "always")
            // What was written before is not on disk by that alone.
            try await Task.sleep(for: .seconds(2))
        }
        world.redis.first.kill()
        try await Task.sleep(for: downtime)
        // Its own settings are back with it.
        try await world.redis.first.restart()
    }
}

/// Each server that takes writes stops in good order and is started again.
struct RedisRestarted: Fault {
    var record: FaultRecord { FaultRecord(name: "redis-restarted", detail: "in good order", excuse: .nothing) }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        for shard in try await world.redis.shards() {
            try await shard.primary.restart()
            try await world.redis.isWhole()
        }
    }
}

/// Redis gets no time to run: connections stay, nothing is answered.
struct RedisFrozen: Fault {
    let length: Duration

    var record: FaultRecord { FaultRecord(name: "redis-frozen", detail: "for \(length.inSeconds)", excuse: .nothing) }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        world.redis.first.pause()
        try await Task.sleep(for: length)
        world.redis.first.resume()
    }
}

/// Redis is far away from all pods.
struct RedisFar: Fault {
    let milliseconds: Int64
    let length: Duration

    var record: FaultRecord {
        let detail = "\(milliseconds) ms each way for \(length.inSeconds)"
        return FaultRecord(name: "redis-far", detail: detail, excuse: .nothing)
    }
    /// All links, so no fault of a link or pod beside it.
    var touched: Touched { Touched(pods: Set(0..<64), redis: true) }

    func inject(_ world: World) async throws {
        await world.setAllLinks(.delay(.milliseconds(milliseconds)))
        try await Task.sleep(for: length)
        await world.setAllLinks(.pass)
    }
}

/// Redis closes every client's connection, several times.
struct ClientsKilled: Fault {
    let pauses: [Duration]

    var record: FaultRecord {
        FaultRecord(name: "clients-killed", detail: "\(pauses.count) times", excuse: .nothing)
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        for pause in pauses {
            try await world.commandEverywhere("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            try await Task.sleep(for: pause)
        }
    }
}

/// Redis has no memory left and refuses every write.
struct MemoryFull: Fault {
    let length: Duration

    var record: FaultRecord { FaultRecord(name: "memory-full", detail: "for \(length.inSeconds)", excuse: .nothing) }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        for shard in try await world.redis.shards() {
            let redis = try WireRedis(port: shard.primary.port)
            let info = try await redis(["INFO", "memory"]).string ?? ""
            let used = info.firstMatch(of: /used_memory:(\d+)/).flatMap { Int($0.1) } ?? 1_000_000
            try await redis(["CONFIG", "SET", "maxmemory", "\(max(used - 1_024 * 1_024 / 2, 1))"])
        }
        try await Task.sleep(for: length)
        try await world.commandEverywhere("CONFIG", "SET", "maxmemory", "0")
    }
}

/// Redis is made the replica of a server that is not there, and refuses writes, as after a fail-over that went wrong.
struct RedisReadOnly: Fault {
    let length: Duration

    var record: FaultRecord {
        FaultRecord(name: "redis-read-only", detail: "for \(length.inSeconds)", excuse: .nothing)
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        try await world.command("REPLICAOF", "127.0.0.1", "\(BuiltProgram.freePort())")
        try await Task.sleep(for: length)
        try await world.command("REPLICAOF", "NO", "ONE")
    }
}

/// Everything in Redis is deleted.
struct RedisFlushed: Fault {
    var record: FaultRecord { FaultRecord(name: "redis-flushed", detail: "FLUSHALL", excuse: .wiped(users: nil)) }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws { try await world.commandEverywhere("FLUSHALL") }
}
