import CarillonTestSupport
import Foundation
import Testing

/// Keys go behind the hub's back, one by one or all at once; everything after it flows within five seconds.
///
/// The times are those of the defaults: an upkeep every 20 s finds nothing in time.
@Suite("Deleted keys")
struct DeletedKeyTests {
    /// Two pods, and a user with a device on the second one.
    private func withPods(_ body: (Pod, Pod, TestUser, Device) async throws -> Void) async throws {
        try await Pod.with { first in
            let second = try await first.another()
            defer { second.server.kill() }
            let user = TestUser()
            let device = try await second.device(user)
            try await first.notify(user, message: "known")
            #expect(try await device.push(within: .seconds(8))["message"] == .string("known"))
            try await body(first, second, user, device)
        }
    }

    /// Posts one notification to the other pod and takes it within five seconds.
    private func expectFlow(_ pod: Pod, _ user: TestUser, _ device: Device) async throws {
        let message = newUUID()
        try await wait(until: "a post is taken", within: .seconds(5)) {
            try await pod.post(notifyBody([user], message)).status == 202
        }
        let push = try await device.client.first("notification.push", within: .seconds(5))
        #expect(push["message"] == .string(message))
    }

    @Test("presence of a user")
    func presence() async throws {
        try await withPods { first, second, user, device in
            try await first.redis("DEL", "notif:conn:\(user.key)")
            try await expectFlow(first, user, device)
            #expect(try await first.redis("HEXISTS", "notif:conn:\(user.key)", second.server.podID) == .integer(1))
            #expect(try await second.metric("carillon_presence_restored_total") >= 1)
            try await expectFlow(first, user, device)
            #expect(try await device.messages().isEmpty)
        }
    }

    @Test("the bus of a pod")
    func bus() async throws {
        try await withPods { first, second, user, device in
            try await first.redis("DEL", "notif:bus:\(second.server.podID)")
            try await expectFlow(first, user, device)
            try await expectFlow(first, user, device)
            #expect(try await device.messages().isEmpty)
        }
    }

    @Test("entries of a pod's bus that it has not read")
    func busEntries() async throws {
        try await withPods { first, second, user, device in
            second.server.process.signal(SIGSTOP)
            try await first.notify(user, message: "lost hint")
            try await first.redis("XTRIM", "notif:bus:\(second.server.podID)", "MAXLEN", "0")
            try await first.notify(user, message: "heard hint")
            second.server.process.signal(SIGCONT)
            for text in ["lost hint", "heard hint"] {
                #expect(try await device.push(within: .seconds(5))["message"] == .string(text))
            }
            #expect(try await device.messages().isEmpty)
        }
    }

    @Test("the table of heartbeats, and the pods' names")
    func heartbeats() async throws {
        try await withPods { first, second, user, device in
            try await first.redis("DEL", "notif:pods:hb")
            try await first.redis("DEL", "notif:pod:\(first.server.podID)", "notif:pod:\(second.server.podID)")
            try await expectFlow(first, user, device)
            try await wait(until: "both are in the table again", within: .seconds(5)) {
                try await first.redis("HLEN", "notif:pods:hb") == .integer(2)
            }
            try await expectFlow(first, user, device)
            #expect(second.server.process.exitStatus == nil)
        }
    }

    @Test("a user's stream, state, lock and payloads: what was there is gone, what follows is pushed")
    func userKeys() async throws {
        try await withPods { first, _, user, device in
            for key in [user.lock, user.state, user.stream] {
                try await first.redis("DEL", key)
                try await expectFlow(first, user, device)
            }
            #expect(try await device.messages().isEmpty)
        }
    }

    @Test("all of them: devices are told to come back, and then all is as on a new hub")
    func everything() async throws {
        try await withPods { first, second, user, device in
            try await first.redis("FLUSHALL")
            #expect(try await device.client.closing(within: .seconds(5)).code == 1012)
            let back = try await second.device(user, "&since=\(device.ready["last_stream_id"]?.string ?? "")")
            #expect(back.replay.isEmpty)
            try await expectFlow(first, user, back)
            try await wait(until: "both are in the table again", within: .seconds(5)) {
                try await first.redis("HLEN", "notif:pods:hb") == .integer(2)
            }
            try await expectFlow(first, user, back)
            #expect(try await back.messages().isEmpty)
        }
    }
}
