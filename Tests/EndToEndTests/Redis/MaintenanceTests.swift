import CarillonTestSupport
import Foundation
import Testing

/// Retention, and what dead pods leave behind.
@Suite(
    "Maintenance",
    .pod(["RETENTION_TRIM_INTERVAL": "1s", "GROUP_MAINTENANCE_INTERVAL": "1s", "UPKEEP_INTERVAL": "1s"])
)
struct MaintenanceTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// A stream id of so many days ago.
    private func daysAgo(_ days: Double) -> String {
        "\(Int((Date().timeIntervalSince1970 - days * 86_400) * 1_000))-0"
    }

    @Test("without a wish of the user, entries live for 15 days")
    func defaultRetention() async throws {
        let user = TestUser()
        let old = try await pod.storeByHand(user, id: daysAgo(15.1), message: "old")
        _ = try await pod.storeByHand(user, id: daysAgo(14.9), message: "young enough")
        try await pod.redis("HSET", user.state, old.notification, "read")
        let device = try await pod.device(user)
        #expect(device.replay.texts.last == "young enough")
        try await wait(until: "the old one is trimmed", within: .seconds(15)) {
            try await pod.redis("XLEN", user.stream) == .integer(1)
        }
        #expect(try await pod.device(user).replay.texts == ["young enough"])
        try await wait(until: "its state is dropped", within: .seconds(15)) {
            try await pod.redis("EXISTS", user.state) == .integer(0)
        }
    }

    @Test("the user's days decide", arguments: [1, 7])
    func ownRetention(days: Int) async throws {
        let user = TestUser()
        for age in [Double(days) + 3, Double(days) + 0.1, Double(days) - 0.1, 0.5] {
            _ = try await pod.storeByHand(user, id: daysAgo(age), message: "\(age)")
        }
        let device = try await pod.device(user)
        try await device.client.send("retention.set", "{\"days\":\(days)}")
        _ = try await device.client.first("retention.set.ack")
        try await wait(until: "the older ones are trimmed", within: .seconds(15)) {
            try await pod.redis("XLEN", user.stream) == .integer(2)
        }
        #expect(try await pod.device(user).replay.texts == ["\(Double(days) - 0.1)", "0.5"])
        try await wait(until: "the pending list agrees", within: .seconds(15)) { try await pod.pendingCount(user) == 2 }
    }

    @Test("a user who is not connected is trimmed too")
    func offlineUser() async throws {
        let user = TestUser()
        _ = try await pod.storeByHand(user, id: daysAgo(20), message: "old")
        try await pod.notify(user, message: "new")
        try await wait(until: "the old one is trimmed", within: .seconds(20)) {
            try await pod.redis("XLEN", user.stream) == .integer(1)
        }
    }

    @Test("a stream that nobody here ever spoke of is found by the sweep")
    func unknownStream() async throws {
        let user = TestUser()
        _ = try await pod.storeByHand(user, id: daysAgo(20), message: "old")
        try await wait(until: "it is trimmed", within: .seconds(30)) {
            try await pod.redis("XLEN", user.stream) == .integer(0)
        }
    }

    @Test("the field, the bus and the locks of a dead pod are removed")
    func deadPod() async throws {
        let ghost = "ghost-\(newUUID())"
        let user = TestUser()
        try await pod.redis("SET", user.lock, ghost, "EX", "60")
        try await pod.redis("XADD", "notif:bus:\(ghost)", "*", "x", "y")
        try await pod.redis("HSET", "notif:pods:hb", ghost, "\(Int(Date().timeIntervalSince1970))")
        let device = try await pod.device(user)
        try await pod.notify(user)
        _ = try await device.push(within: .seconds(1))
        try await wait(until: "the lock is taken over", within: .seconds(8)) {
            try await pod.redis("GET", user.lock) == .text(pod.server.podID)
        }
        try await wait(until: "the dead pod's field is removed", within: .seconds(10)) {
            try await pod.redis("HEXISTS", "notif:pods:hb", ghost) == .integer(0)
        }
        try await wait(until: "its bus is removed", within: .seconds(10)) {
            try await pod.redis("EXISTS", "notif:bus:\(ghost)") == .integer(0)
        }
        #expect(try await pod.redis("HEXISTS", "notif:pods:hb", pod.server.podID) == .integer(1))
    }

    @Test("a heartbeat that goes on is left alone")
    func livingPod() async throws {
        let other = "other-\(newUUID())"
        var beats = 0
        try await wait(until: "six seconds of heartbeats", within: .seconds(15)) {
            let now = Int(Date().timeIntervalSince1970)
            if try await pod.redis("HGET", "notif:pods:hb", other).int ?? 0 < now {
                if beats > 0 { #expect(try await pod.redis("HEXISTS", "notif:pods:hb", other) == .integer(1)) }
                try await pod.redis("HSET", "notif:pods:hb", other, "\(now)")
                beats += 1
            }
            return beats > 6
        }
    }
}

/// Keys that all users of a pod need, which nobody may remove under other tests.
@Suite("Maintenance: the pod's own keys")
struct OwnKeyTests {
    @Test("the pod's own heartbeat and bus come back when somebody removes them")
    func ownKeysRemoved() async throws {
        try await Pod.with(["UPKEEP_INTERVAL": "1s"]) { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            try await pod.redis("DEL", "notif:pods:hb", "notif:bus:\(pod.server.podID)", user.lock)
            try await wait(until: "the heartbeat is back", within: .seconds(10)) {
                try await pod.redis("HEXISTS", "notif:pods:hb", pod.server.podID) == .integer(1)
            }
            try await wait(until: "the bus is back", within: .seconds(10)) {
                try await pod.redis("EXISTS", "notif:bus:\(pod.server.podID)") == .integer(1)
            }
            try await wait(until: "the lock is back", within: .seconds(10)) {
                try await pod.redis("GET", user.lock) == .text(pod.server.podID)
            }
            try await pod.notify(user, message: "still served")
            #expect(try await device.push()["message"] == .string("still served"))
        }
    }
}
