import CarillonTestSupport
import NIOCore

/// Somebody deletes one key.
struct KeyDeleted: Fault {
    /// Which key; the associated number is the index of the pod or user whose it is.
    enum Key: Sendable {
        case stream(Int)
        case state(Int)
        case payload(Int)
        case presence(Int)
        case lock(Int)
        case heartbeats
        case bus(Int)
        case name(Int)
    }

    let name: String
    let key: Key

    var record: FaultRecord {
        let (detail, excuse): (String, Excuse) =
            switch key {
            case .stream(let user): ("of \(FleetUser(index: user).key)", .wiped(users: [user]))
            case .state(let user): ("of \(FleetUser(index: user).key)", .wiped(users: [user]))
            case .payload(let user): ("the newest of \(FleetUser(index: user).key)", .wiped(users: [user]))
            case .presence(let user), .lock(let user): ("of \(FleetUser(index: user).key)", .nothing)
            case .heartbeats: ("the whole table", .nothing)
            case .bus(let pod), .name(let pod): ("of pod-\(pod + 1)", .nothing)
            }
        return FaultRecord(name: name, detail: detail, excuse: excuse)
    }

    var touched: Touched {
        switch key {
        case .stream(let user), .state(let user), .payload(let user), .presence(let user), .lock(let user):
            Touched(redis: true, users: [user])
        case .heartbeats: Touched(redis: true)
        case .bus(let pod), .name(let pod): Touched(pods: [pod], redis: true)
        }
    }

    func inject(_ world: World) async throws {
        switch key {
        case .stream(let user): try await world.command("DEL", "stream:user:\(FleetUser(index: user).key)")
        case .state(let user): try await world.command("DEL", "notification_state:\(FleetUser(index: user).key)")
        case .payload(let user):
            let newest = try await world.command(
                "XREVRANGE",
                "stream:user:\(FleetUser(index: user).key)",
                "+",
                "-",
                "COUNT",
                "1"
            )
            if let id = newest.array.first?.array.last?.strings.last {
                try await world.command("DEL", "notification:\(id)")
            }
        case .presence(let user): try await world.command("DEL", "notif:conn:\(FleetUser(index: user).key)")
        case .lock(let user): try await world.command("DEL", "notif:lock:consumer:\(FleetUser(index: user).key)")
        case .heartbeats: try await world.command("DEL", "notif:pods:hb")
        case .bus(let pod): try await world.command("DEL", "notif:bus:pod-\(pod + 1)")
        case .name(let pod): try await world.command("DEL", "notif:pod:pod-\(pod + 1)")
        }
    }
}

/// Entries that other pods meant for one pod are deleted before it reads them.
struct BusTrimmed: Fault {
    let pod: Int
    let pauses: [Duration]

    /// How long entries are deleted before each pause.
    private static let length = Duration.milliseconds(300)

    var record: FaultRecord {
        FaultRecord(name: "bus-trimmed", detail: "pod-\(pod + 1), \(pauses.count) times", excuse: .nothing)
    }
    var touched: Touched { Touched(pods: [pod], redis: true) }

    func inject(_ world: World) async throws {
        let bus = "notif:bus:\(await world.name(of: pod))"
        for pause in pauses {
            // The pod asks late for the next entries, so that there are some to lose meanwhile.
            await world.setLink(of: pod, .delay(.milliseconds(50)))
            let end = ContinuousClock.now + Self.length
            while ContinuousClock.now < end {
                try await world.command("XTRIM", bus, "MAXLEN", "0")
                try await Task.sleep(for: .milliseconds(5))
            }
            await world.setLink(of: pod, .pass)
            try await Task.sleep(for: pause)
        }
    }
}

/// A pod of a newer version says something that this one cannot understand, of a user and of nobody it could know.
struct BusForeign: Fault {
    let pod: Int
    let user: Int

    var record: FaultRecord {
        FaultRecord(name: "bus-foreign", detail: "to pod-\(pod + 1), format 99", excuse: .nothing)
    }
    var touched: Touched { Touched(redis: true) }

    func inject(_ world: World) async throws {
        let bus = "notif:bus:pod-\(pod + 1)"
        let news = ["moved \(FleetUser(index: user).key) to the attic\n", "of tomorrow\n", "without an end"]
        for (index, line) in news.enumerated() {
            try await world.command(
                "XADD",
                bus,
                "*",
                "v",
                "99",
                "from",
                "x/y",
                "n",
                "\(index + 1)",
                "d",
                line
            )
        }
    }
}
