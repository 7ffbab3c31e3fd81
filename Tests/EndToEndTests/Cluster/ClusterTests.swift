import CarillonTestSupport
import Synchronization
import Testing

/// Pods on a Redis Cluster of three primaries, all real.
@Suite("Redis Cluster")
struct ClusterTests {
    private func texts(_ device: Device, _ count: Int) async throws -> [String] {
        var texts: [String] = []
        for _ in 0..<count {
            texts.append(
                try await device.client.first("notification.push", within: .seconds(15))["message"]?.string ?? ""
            )
        }
        return texts
    }

    @Test("users whose keys lie everywhere: pushes, replays, lists and counts")
    func users() async throws {
        try await Pod.with(group: try await ClusterGroup.start()) { pod, group in
            let users = (0..<20).map { _ in TestUser() }
            var devices: [Device] = []
            for user in users { devices.append(try await pod.device(user)) }
            for number in 0..<3 {
                for user in users { try await pod.notify(user, message: "\(number)") }
            }
            for (user, device) in zip(users, devices) {
                #expect(try await texts(device, 3) == ["0", "1", "2"])
                #expect(try await pod.device(user).replay.texts == ["0", "1", "2"])
                #expect(try await pod.inboxIDs(user).count == 3)
            }
            // Many users of one request, each of whom has his keys somewhere else.
            #expect(try await pod.post(notifyBody(users, "all")).status == 202)
            for device in devices { #expect(try await texts(device, 1) == ["all"]) }
            for primary in group.primaries {
                #expect(try await WireRedis(port: primary.port)(["DBSIZE"]).int ?? 0 > 20)
                let stats = try await WireRedis(port: primary.port)(["INFO", "errorstats"]).string ?? ""
                #expect(!stats.contains("CROSSSLOT"), "\(stats)")
            }
            #expect(try await pod.get("/ready").status == 200)
        }
    }

    @Test("a device of another pod hears, and both see one read state")
    func twoPods() async throws {
        try await Pod.with(group: try await ClusterGroup.start()) { pod, _ in
            let other = try await pod.another()
            defer { other.server.kill() }
            let user = TestUser()
            let device = try await other.device(user)
            for number in 0..<20 { try await pod.notify(user, message: "\(number)") }
            #expect(try await texts(device, 20) == (0..<20).map(String.init))
        }
    }

    /// The slots of a user's stream and of the other pod's bus go from node to node while he is sent to.
    @Test(
        "slots move under load: every post is taken, and every device has each message once and in order",
        arguments: ["stream", "bus", "presence"]
    )
    func slotsMove(what: String) async throws {
        try await Pod.with(group: try await ClusterGroup.start()) { pod, group in
            let other = try await pod.another()
            defer { other.server.kill() }
            let user = TestUser()
            let (near, far) = (try await pod.device(user), try await other.device(user))
            let key = [
                "stream": user.stream, "bus": "notif:bus:\(other.server.podID)", "presence": "notif:conn:\(user.key)",
            ][what]!
            let slot = try #require(try await WireRedis(port: group.first.port)(["CLUSTER", "KEYSLOT", key]).int)
            let port = try #require(try await group.port(serving: key))
            let source = try #require(group.primaries.first { $0.port == port })
            let target = try #require(group.primaries.first { $0.port != port })
            let areDone = Atomic(false)
            async let moves: Void = {
                defer { areDone.store(true, ordering: .relaxed) }
                for round in 0..<6 {
                    let (from, to) = round.isMultiple(of: 2) ? (source, target) : (target, source)
                    try await group.move(slot: slot, from: from, to: to)
                }
            }()
            var sent = 0
            while !areDone.load(ordering: .relaxed) || sent < 50 {
                try await pod.notify(user, message: "\(sent)")
                sent += 1
            }
            try await moves
            #expect(try await texts(near, sent) == (0..<sent).map(String.init))
            #expect(try await texts(far, sent) == (0..<sent).map(String.init))
        }
    }

    @Test("a primary is killed: its users are served again once a replica has its place, the others' all the time")
    func primaryKilled() async throws {
        try await Pod.with(group: try await ClusterGroup.start(replicas: 1)) { pod, group in
            let users = (0..<12).map { _ in TestUser() }
            for user in users { try await pod.notify(user, message: "before") }
            for (primary, replica) in zip(group.primaries, group.replicas) {
                try await primary.isReplicated(to: [replica])
            }
            group.primaries[1].kill()
            for user in users {
                try await wait(until: "a post is taken", within: .seconds(20)) {
                    try await pod.post(notifyBody([user], "after")).status == 202
                }
            }
            for user in users {
                let texts = try await pod.device(user).replay.texts
                #expect(texts.first == "before" && texts.last == "after")
            }
            try await wait(until: "it is ready", within: .seconds(20)) { try await pod.get("/ready").status == 200 }
        }
    }
}
