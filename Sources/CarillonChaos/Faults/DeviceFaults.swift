/// Every device loses its connection at the same moment, and all come back at once.
struct DevicesDropped: Fault {
    var record: FaultRecord { FaultRecord(name: "devices-dropped", detail: "all of them", excuse: .nothing) }
    var touched: Touched { Touched() }

    func inject(_ world: World) async throws { await world.hooks.devices(.drop) }
}

/// Some devices take nothing from their sockets, as phones do that sleep or have lost their network; then they wake.
///
/// It excuses nothing: the ledger knows who sleeps, and all others must be served as ever.
struct DevicesAsleep: Fault {
    let share: Double
    let length: Duration

    var record: FaultRecord {
        FaultRecord(
            name: "devices-asleep",
            detail: "\(Int(share * 100)) % of them for \(length.inSeconds)",
            excuse: .nothing
        )
    }
    var touched: Touched { .alone }
    var isFault: Bool { false }

    func inject(_ world: World) async throws {
        await world.hooks.devices(.fallAsleep(share: share))
        try await Task.sleep(for: length)
        await world.hooks.devices(.wake)
    }
}

/// Some devices send far more than they may, and begin anew in the end. It excuses nothing either.
struct DevicesFlooding: Fault {
    let devices: Int
    let length: Duration

    var record: FaultRecord {
        FaultRecord(name: "devices-flooding", detail: "\(devices) of them for \(length.inSeconds)", excuse: .nothing)
    }
    var touched: Touched { .alone }
    var isFault: Bool { false }

    func inject(_ world: World) async throws {
        await world.hooks.devices(.flood(devices))
        try await Task.sleep(for: length)
        await world.hooks.devices(.stopFlood)
    }
}

/// Nothing happens for a while: what a run says with it alone, it says of a healthy system.
struct Calm: Fault {
    let length: Duration

    var record: FaultRecord { FaultRecord(name: "calm", detail: "for \(length.inSeconds)", excuse: .nothing) }
    var touched: Touched { Touched() }
    var isFault: Bool { false }

    func inject(_ world: World) async throws { try await Task.sleep(for: length) }
}
