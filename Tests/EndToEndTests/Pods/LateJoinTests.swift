import CarillonTestSupport
import Testing

/// A pod that has just been started, and that the others do not know yet.
///
/// Heartbeats are slow here, so that the first pod goes on believing for a while that it is alone; and upkeep, which would
/// find by itself what was missed, is slower than the tests.
@Suite("Late joining pod")
struct LateJoinTests {
    private static let slow = ["HEARTBEAT_INTERVAL": "2s", "UPKEEP_INTERVAL": "240s", "LOCK_TTL": "600s"]

    /// Starts two pods, the second one as late as the body's first line.
    private func withPods(_ body: (Pod, Pod) async throws -> Void) async throws {
        try await Pod.with(Self.slow) { first in
            let second = try await first.another(Self.slow)
            defer { second.server.kill() }
            try await body(first, second)
        }
    }

    @Test("a post to a pod that does not know it yet reaches its devices soon")
    func posts() async throws {
        try await withPods { first, second in
            let user = TestUser()
            let device = try await second.device(user)
            try await first.notify(user, message: "early")
            #expect(try await device.push(within: .seconds(8))["message"] == .string("early"))
            #expect(try await device.messages().isEmpty)
        }
    }

    @Test("a read on a pod that does not know it yet shows on its devices soon")
    func reads() async throws {
        try await Pod.with(Self.slow) { first in
            let user = TestUser()
            try await first.notify(user)
            let here = try await first.device(user)
            let second = try await first.another(Self.slow)
            defer { second.server.kill() }
            let there = try await second.device(user)
            try await here.read(try #require(here.replay.first))
            let told = try await there.client.first("notification.read.ack", within: .seconds(8))
            #expect(told["notification_id"] == here.replay[0]["notification_id"])
        }
    }

    @Test("nobody takes it for dead: its lock and its presence stay when a device comes to the other pod")
    func presence() async throws {
        try await withPods { first, second in
            let user = TestUser()
            let there = try await second.device(user)
            try await wait(until: "the second pod holds the lock") {
                try await first.redis("GET", user.lock) == .text(second.server.podID)
            }
            let here = try await first.device(user)
            for number in 0..<5 {
                try await first.notify(user, message: "\(number)")
                #expect(try await here.push()["message"] == .string("\(number)"))
                #expect(try await there.push(within: .seconds(8))["message"] == .string("\(number)"))
            }
            #expect(try await first.redis("GET", user.lock) == .text(second.server.podID))
            let presence = try await first.redis("HKEYS", "notif:conn:\(user.key)").strings
            #expect(Set(presence) == [first.server.podID, second.server.podID])
            #expect(try await first.metric("carillon_takeovers_total") == 0)
        }
    }
}
