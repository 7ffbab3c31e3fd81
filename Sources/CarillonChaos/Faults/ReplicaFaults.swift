import CarillonTestSupport

/// Which of the servers that have a part in it: drawn beforehand, while who they are shows only when it happens.
struct ShardChoice: Sendable {
    let number: Int

    func shard(_ world: World) async throws -> RedisShard {
        let shards = try await world.redis.shards()
        guard !shards.isEmpty else { throw WireError.unexpected("no server of Redis serves") }
        return shards[number % shards.count]
    }

    func replica(_ world: World) async throws -> RedisProcess {
        let shard = try await shard(world)
        guard !shard.replicas.isEmpty else { throw WireError.unexpected("the primary has no replica") }
        return shard.replicas[number % shard.replicas.count]
    }
}

/// A primary dies without a word, a replica gets its place, and later it comes back as a replica.
struct PrimaryKilled: Fault {
    let choice: ShardChoice
    /// After the promotion.
    let downtime: Duration
    let excuse: Excuse

    var record: FaultRecord {
        FaultRecord(
            name: "primary-killed",
            detail: "number \(choice.number + 1), back \(downtime.inSeconds) after the promotion",
            excuse: excuse
        )
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        let primary = try await choice.shard(world).primary
        primary.kill()
        try await world.redis.promotes(insteadOf: primary)
        try await world.servesAfterPromotion()
        try await Task.sleep(for: downtime)
        try await primary.restart()
        try await world.redis.isWhole()
    }
}

/// A primary stands still until a replica has got its place, and wakes believing that it still is the primary.
struct PrimaryFrozen: Fault {
    let choice: ShardChoice
    /// After the promotion.
    let length: Duration
    let excuse: Excuse

    var record: FaultRecord {
        FaultRecord(
            name: "primary-frozen",
            detail: "number \(choice.number + 1), awake \(length.inSeconds) after the promotion",
            excuse: excuse
        )
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        let primary = try await choice.shard(world).primary
        primary.pause()
        try await world.redis.promotes(insteadOf: primary)
        try await world.servesAfterPromotion()
        try await Task.sleep(for: length)
        primary.resume()
        try await world.redis.isWhole()
    }
}

/// A replica gets the place of its primary by hand, in good order.
struct PrimaryFailedOver: Fault {
    let choice: ShardChoice
    let excuse: Excuse

    var record: FaultRecord {
        FaultRecord(name: "primary-failed-over", detail: "number \(choice.number + 1), by hand", excuse: excuse)
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        try await world.redis.failOver(try await choice.shard(world))
        try await world.servesAfterPromotion()
        try await world.redis.isWhole()
    }
}

/// A replica is away: killed, or standing still.
struct ReplicaAway: Fault {
    let choice: ShardChoice
    let isKilled: Bool
    let length: Duration

    var record: FaultRecord {
        FaultRecord(
            name: isKilled ? "replica-killed" : "replica-frozen",
            detail: "one of number \(choice.number + 1) for \(length.inSeconds)",
            excuse: .nothing
        )
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        let replica = try await choice.replica(world)
        if isKilled { replica.kill() } else { replica.pause() }
        try await Task.sleep(for: length)
        if isKilled { try await replica.restart() } else { replica.resume() }
        try await world.redis.isWhole()
    }
}

/// All Sentinels die and come back: who knows the primary needs none of them.
struct SentinelsKilled: Fault {
    let length: Duration

    var record: FaultRecord {
        FaultRecord(name: "sentinels-killed", detail: "all for \(length.inSeconds)", excuse: .nothing)
    }
    var touched: Touched { Touched(redis: true) }
    /// Nobody may notice anything.
    var isFault: Bool { false }

    func inject(_ world: World) async throws {
        let sentinels = world.redis.processes.filter(\.isSentinel)
        for sentinel in sentinels { sentinel.kill() }
        try await Task.sleep(for: length)
        for sentinel in sentinels { try await sentinel.restart() }
        try await world.redis.isWhole()
    }
}
