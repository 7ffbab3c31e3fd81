internal import NIOCore

/// Messages at a pace, from the request to the last device: rate, latency, cost, and whether each came once and in order.
struct RateCell: CellWork {
    var shape: LoadShape
    var warmup = Duration.seconds(2)
    var duration = Duration.seconds(8)
    /// Time for what is under way when publishing ends.
    var drain = Duration.seconds(5)

    /// Between the last handshake and the first message, so that nothing of the one is measured with the other.
    private static let pause = Duration.seconds(1)

    func run(_ hub: any Hub, _ result: inout CellResult, _ pace: BenchPace) async throws {
        try await LoadSession.with(hub, shape) { session in
            try await session.connectDevices()
            try await session.connectPublishers()
            try await Task.sleep(for: Self.pause)
            try await measure(hub, session, &result, pace)
        }
    }

    private func measure(
        _ hub: any Hub,
        _ session: LoadSession,
        _ result: inout CellResult,
        _ pace: BenchPace
    ) async throws {
        try await session.with { $0.desk.start() }
        try await Task.sleep(for: pace.scaled(warmup))
        let before = try await Usage.read(hub)
        let first = try await session.with { parts in
            parts.tally.startMeasuring(at: NIODeadline.now().uptimeNanoseconds)
            return Counts(parts.tally)
        }
        try await Task.sleep(for: pace.scaled(duration))
        let last = try await session.with { parts in
            parts.tally.stopMeasuring(at: NIODeadline.now().uptimeNanoseconds)
            return Counts(parts.tally)
        }
        let used = UsageDifference(from: before, to: try await Usage.read(hub))
        try await session.with { $0.desk.stop() }
        let reads = shape.reads
        try await session.settle(within: drain) { parts in
            parts.desk.isIdle && parts.tally.lost == 0 && (!reads || parts.tally.acknowledged >= parts.tally.delivered)
        }
        let messages = Double(max(1, last.delivered - first.delivered))
        result.deliveredPerSecond = messages / used.seconds
        result.acceptedPerSecond = Double(last.accepted - first.accepted) / used.seconds
        result.add(
            used,
            messages: messages,
            hasHub: await hub.processes() != nil,
            hasRedis: !(await hub.redis().isEmpty)
        )
        let (counts, latency, dropped) = try await session.with { parts in
            (Counts(parts.tally), CellResult.Latency(parts.tally.latency), parts.audience.dropped)
        }
        result.lost = counts.lost + (reads ? counts.delivered - counts.acknowledged : 0)
        result.duplicated = counts.duplicated
        result.disordered = counts.disordered
        result.errors = counts.refused + dropped
        result.latency = latency
    }

    private struct Counts: Sendable {
        let accepted: Int
        let delivered: Int
        let lost: Int
        let duplicated: Int
        let disordered: Int
        let refused: Int
        let acknowledged: Int

        init(_ tally: Tally) {
            accepted = tally.accepted
            delivered = tally.delivered
            lost = tally.lost
            duplicated = tally.duplicated
            disordered = tally.disordered
            refused = tally.refused
            acknowledged = tally.acknowledged
        }
    }
}

extension CellResult {
    mutating func add(_ used: UsageDifference, messages: Double, hasHub: Bool, hasRedis: Bool) {
        loadMicroseconds = used.loadSeconds * 1e6 / messages
        otherCores = used.otherCores
        if hasHub { hubMicroseconds = used.hubSeconds * 1e6 / messages }
        if hasRedis {
            redisMicroseconds = used.redisSeconds * 1e6 / messages
            redisCores = used.redisSecondsEach.map { $0 / used.seconds }
            redisCommands = Double(used.redisCommands) / messages
            redisCalls = used.redisCalls.mapValues { Double($0) / messages }
        }
    }
}
