import CarillonTestSupport
import Foundation
import Testing

/// A pod that is killed, and one that sleeps and wakes.
@Suite("Pod death")
struct PodDeathTests {
    /// Room for all posts of a test, and an upkeep too slow to find by itself what a dead pod leaves behind.
    private static let settings = ["STREAM_MAXLEN": "100000", "UPKEEP_INTERVAL": "240s", "LOCK_TTL": "600s"]

    private func holdsLock(_ pod: Pod, _ user: TestUser) async throws -> Bool {
        try await pod.redis("GET", user.lock) == .text(pod.server.podID)
    }

    @Test("within 5 s the others take over what it held of their users; their pushes go on meanwhile")
    func killed() async throws {
        try await Pod.with(Self.settings) { pod in
            let other = try await pod.another(Self.settings)
            defer { other.server.kill() }
            let users = (0..<5).map { _ in TestUser() }
            // The other pod is first with every user, so that it holds the locks.
            var lost: [Device] = []
            for user in users {
                lost.append(try await other.device(user))
                try await wait(until: "the other pod holds the lock") { try await holdsLock(other, user) }
            }
            var devices: [Device] = []
            for user in users { devices.append(try await pod.device(user)) }
            let name = other.server.podID
            other.server.kill()
            for device in lost { #expect(try await device.client.http.closes()) }
            let http = try pod.http()
            var posts = 0
            try await wait(until: "locks, presence, heartbeat and bus are taken over", within: .seconds(5)) {
                posts += 1
                for (user, device) in zip(users, devices) {
                    try await pod.notify(user, message: "\(posts)", on: http)
                    #expect(try await device.push()["message"] == .string("\(posts)"))
                }
                for user in users {
                    guard try await holdsLock(pod, user) else { return false }
                    let presence = try await pod.redis("HKEYS", "notif:conn:\(user.key)").strings
                    guard presence == [pod.server.podID] else { return false }
                }
                let isInHeartbeats = try await pod.redis("HEXISTS", "notif:pods:hb", name) == .integer(1)
                let left = try await pod.redis("EXISTS", "notif:bus:\(name)", "notif:clients:\(name)")
                return !isInHeartbeats && left == .integer(0)
            }
            #expect(posts > 1)
            let listed = try await pod.get("/api/v1/admin/clients").json["clients"]?.array ?? []
            #expect(listed.map { $0["pod_id"] } == users.map { _ in .string(pod.server.podID) })
            #expect(try await pod.metric("carillon_takeovers_total") == 5)
            for (user, device) in zip(users, devices) {
                try await wait(until: "the group is kept") { try await pod.pendingCount(user) == posts }
                try await pod.notify(user, message: "last")
                try await device.read(try await device.push())
                #expect(try await device.messages().isEmpty)
            }
        }
    }

    @Test("what a pod stored before it died without telling anybody is found by the others")
    func diesBetweenStoreAndHint() async throws {
        try await Pod.with(Self.settings) { pod in
            // A dead pod's field, and an entry that nobody was told of.
            let user = TestUser()
            let device = try await pod.device(user)
            try await pod.redis("HSET", "notif:pods:hb", "ghost", "\(Int(Date().timeIntervalSince1970))")
            _ = try await pod.storeByHand(user, message: "untold")
            #expect(try await device.push(within: .seconds(8))["message"] == .string("untold"))
        }
    }

    @Test("killed and restarted too fast to be missed: the others take over all the same")
    func restartsAtOnce() async throws {
        try await Pod.with(Self.settings) { pod in
            let name = ["POD_ID": "phoenix"]
            let other = try await pod.another(Self.settings.merging(name) { $1 })
            let user = TestUser()
            let lost = try await other.device(user)
            try await wait(until: "the other pod holds the lock") {
                try await pod.redis("GET", user.lock) == .text("phoenix")
            }
            let device = try await pod.device(user)
            // What the dead pod stored and did not live to tell.
            other.server.kill()
            _ = try await pod.storeByHand(user, message: "untold")
            let again = try await pod.another(Self.settings.merging(name) { $1 })
            defer { again.server.kill() }
            #expect(try await device.push(within: .seconds(3))["message"] == .string("untold"))
            try await wait(until: "the lock is taken over", within: .seconds(5)) { try await holdsLock(pod, user) }
            lost.client.drop()
            // Whoever comes back to the new process hears what is posted here.
            let back = try await again.device(user)
            try await pod.notify(user, message: "after")
            #expect(try await back.push(within: .seconds(5))["message"] == .string("after"))
            #expect(try await device.push()["message"] == .string("after"))
        }
    }

    @Test("what was read on a pod before it died without telling anybody shows on the others")
    func diesBetweenReadAndHint() async throws {
        try await Pod.with(Self.settings) { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            try await pod.redis("HSET", "notif:pods:hb", "ghost", "\(Int(Date().timeIntervalSince1970))")
            let id = try await pod.notify(user)[0]
            _ = try await device.push()
            try await pod.redis("HSET", user.state, id, "read")
            let told = try await device.client.expect("notification.read.ack", within: .seconds(8))
            #expect(told["notification_id"] == .string(id))
        }
    }

    @Test("a pod that slept and was taken for dead serves its devices again, with all that came meanwhile")
    func sleeps() async throws {
        try await Pod.with(Self.settings) { pod in
            let other = try await pod.another(Self.settings)
            defer { other.server.kill() }
            let user = TestUser()
            let device = try await other.device(user)
            let witness = try await pod.device(user)
            other.server.process.signal(SIGSTOP)
            try await wait(until: "it is taken for dead", within: .seconds(10)) {
                try await pod.redis("HEXISTS", "notif:pods:hb", other.server.podID) == .integer(0)
            }
            try await wait(until: "its presence is removed") {
                try await pod.redis("HEXISTS", "notif:conn:\(user.key)", other.server.podID) == .integer(0)
            }
            try await pod.notify(user, message: "meanwhile")
            #expect(try await witness.push()["message"] == .string("meanwhile"))
            other.server.process.signal(SIGCONT)
            #expect(try await device.push(within: .seconds(8))["message"] == .string("meanwhile"))
            try await wait(until: "its presence is back", within: .seconds(8)) {
                try await pod.redis("HEXISTS", "notif:conn:\(user.key)", other.server.podID) == .integer(1)
            }
            try await pod.notify(user, message: "after")
            #expect(try await device.push(within: .seconds(5))["message"] == .string("after"))
            #expect(try await witness.push()["message"] == .string("after"))
            #expect(other.server.process.exitStatus == nil)
        }
    }
}
