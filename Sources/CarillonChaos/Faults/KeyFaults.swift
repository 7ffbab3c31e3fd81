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
            Touched(users: [user])
        case .heartbeats: Touched(redis: true)
        case .bus(let pod), .name(let pod): Touched(pods: [pod])
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
        case .presence(let user):
            let before = try await world.presence(ofUsers: [user])
            try await world.command("DEL", FleetUser.presence(user))
            // Until then pods do not tell one another of his notifications; it is said again at the next look at him.
            try await world.waitForPresence(before)
        case .lock(let user): try await world.command("DEL", "notif:lock:consumer:\(FleetUser(index: user).key)")
        case .heartbeats: try await world.command("DEL", "notif:pods:hb")
        case .bus(let pod): try await world.command("DEL", "notif:bus:pod-\(pod + 1)")
        case .name(let pod): try await world.command("DEL", "notif:pod:pod-\(pod + 1)")
        }
    }
}

extension FleetUser {
    /// Key of the presence of the user of an index.
    static func presence(_ index: Int) -> String { "notif:conn:\(FleetUser(index: index).key)" }
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
    var touched: Touched { Touched(pods: [pod]) }

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

/// A pod of a newer version says something that this one cannot understand.
struct BusForeign: Fault {
    let pod: Int

    var record: FaultRecord {
        FaultRecord(name: "bus-foreign", detail: "to pod-\(pod + 1), format 99", excuse: .nothing)
    }
    var touched: Touched { Touched() }

    func inject(_ world: World) async throws {
        let bus = "notif:bus:pod-\(pod + 1)"
        for number in 1...3 {
            try await world.command(
                "XADD",
                bus,
                "*",
                "v",
                "99",
                "from",
                "x/y",
                "n",
                "\(number)",
                "d",
                "news of tomorrow"
            )
        }
    }
}

extension World {
    /// Which pods hold devices of these users (all where nil), as presence says.
    func presence(ofUsers users: Set<Int>?) async throws -> [String: Set<String>] {
        let keys: [String] =
            if let users { users.map(FleetUser.presence) } else { try await command("KEYS", "notif:conn:*").strings }
        var presence: [String: Set<String>] = [:]
        for key in keys { presence[key] = Set(try await command("HGETALL", key).pairs.keys) }
        return presence.filter { !$0.value.isEmpty }
    }

    /// Waits until presence says again what it said before, at most for the interval in which pods say it; devices may
    /// have gone elsewhere meanwhile.
    func waitForPresence(_ before: [String: Set<String>]) async throws {
        let users = Set(before.keys)
        do {
            try await wait(until: "presence is back", within: plan.upkeepInterval + .seconds(2)) {
                var isBack = true
                for user in users where isBack {
                    let now = Set(try await command("HGETALL", user).pairs.keys)
                    isBack = now.isSuperset(of: before[user] ?? [])
                }
                if !isBack { try await Task.sleep(for: .milliseconds(200)) }
                return isBack
            }
        } catch WireError.timedOut {
            // That is all the time there is; from now on a missing word shows in what is delivered late.
        }
    }
}
