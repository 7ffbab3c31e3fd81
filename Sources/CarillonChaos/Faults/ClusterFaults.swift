import CarillonTestSupport

/// Slots of some users' streams and of a pod's bus move to the next primary and back, with all that is in them.
struct SlotsMoved: Fault {
    let users: [Int]
    let pod: Int

    var record: FaultRecord {
        FaultRecord(
            name: "slots-moved",
            detail: "of the streams of \(users.count) users and the bus of pod-\(pod + 1), there and back",
            excuse: .nothing
        )
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        guard let cluster = world.redis as? ClusterGroup else { return }
        let primaries = try await cluster.shards().map(\.primary)
        for (number, key) in (users.map { "stream:user:\(FleetUser(index: $0).key)" } + ["notif:bus:pod-\(pod + 1)"])
            .enumerated()
        {
            let target = primaries[number % primaries.count]
            for (slot, source) in try await cluster.move(slotsOf: [key], to: target) {
                try await cluster.move(slot: slot, from: target, to: source)
            }
        }
    }
}

/// A primary with a replica joins, gets the slots of some users, and leaves when it has given them back.
struct NodeAdded: Fault {
    let users: [Int]
    let length: Duration

    var record: FaultRecord {
        FaultRecord(
            name: "node-added",
            detail: "with the streams, states and presence of \(users.count) users for \(length.inSeconds)",
            excuse: .nothing
        )
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        guard let cluster = world.redis as? ClusterGroup else { return }
        let node = try await cluster.add(nodeTimeout: WorldPlan.deadAfter, WorldPlan.redisArguments)
        let keys = users.flatMap { user in
            let key = FleetUser(index: user).key
            return ["stream:user:\(key)", "notification_state:\(key)", "notif:conn:\(key)"]
        }
        let moved = try await cluster.move(slotsOf: keys, to: node)
        try await Task.sleep(for: length)
        for (slot, source) in moved { try await cluster.move(slot: slot, from: node, to: source) }
        try await cluster.removeAdded()
        try await cluster.isWhole()
    }
}
