import CarillonTestSupport
import Testing

/// What expires is cleaned, and told once.
@Suite(
    "TTL janitor",
    .pod(["TTL_JANITOR_INTERVAL": "1s", "GROUP_MAINTENANCE_INTERVAL": "1s", "NOTIFICATION_TTL": "2s"])
)
struct JanitorTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// Returns after the janitor has worked at least once on everything that has expired by now.
    private func janitorPasses() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user)
        try await device.read(try await device.push())
        try await wait(until: "the janitor's pass", within: .seconds(15)) {
            try await pod.redis("XLEN", user.stream) == .integer(0)
        }
    }

    @Test("a read and expired entry goes, with its state and its place in the pending list")
    func readAndExpired() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user)
        try await pod.notify(user, message: "stays", members: ",\"ttl_seconds\":600")
        let push = try await device.push()
        let other = try await device.push()
        try await device.read(push)
        try await device.read(other)
        try await wait(until: "the entry is removed", within: .seconds(15)) {
            try await pod.redis("XLEN", user.stream) == .integer(1)
        }
        let kept = try #require(other["notification_id"]?.string)
        try await wait(until: "its state is removed", within: .seconds(10)) {
            try await pod.redis("HKEYS", user.state).strings == [kept]
        }
        #expect(try await pod.pendingCount(user) == 0)
        #expect(try await device.messages().isEmpty)
    }

    @Test("an unread one that expires is told once to each device, and removed")
    func unreadOnline() async throws {
        let user = TestUser()
        let devices = [try await pod.device(user), try await pod.device(user)]
        let id = try await pod.notify(user)[0]
        var pushes: [WireJSON] = []
        for device in devices { pushes.append(try await device.push()) }
        for device in devices {
            let cleared = try await device.client.expect("notification.auto_cleared", within: .seconds(15))
            #expect(cleared["notification_id"] == .string(id))
            #expect(cleared["stream_id"] == pushes[0]["stream_id"])
        }
        try await wait(until: "the entry is removed", within: .seconds(15)) {
            try await pod.redis("XLEN", user.stream) == .integer(0)
        }
        #expect(try await pod.pendingCount(user) == 0)
        try await janitorPasses()
        for device in devices { #expect(try await device.messages().isEmpty) }
        #expect(try await pod.device(user).replay.isEmpty)
    }

    @Test("an unread one waits for its user, is told on connect, and goes then")
    func unreadOffline() async throws {
        let user = TestUser()
        let id = try await pod.notify(user, message: "will expire")[0]
        try await wait(until: "the payload expires", within: .seconds(10)) {
            try await pod.redis("EXISTS", "notification:\(id)") == .integer(0)
        }
        try await janitorPasses()
        #expect(try await pod.redis("XLEN", user.stream) == .integer(1))
        let device = try await pod.device(user)
        #expect(device.replay.map { $0["status"]?.string } == ["auto_cleared"])
        #expect(device.replay.notificationIDs == [id])
        try await wait(until: "the entry is removed", within: .seconds(15)) {
            try await pod.redis("XLEN", user.stream) == .integer(0)
        }
        #expect(try await pod.device(user).replay.isEmpty)
    }

    @Test("a longer life of its own outlasts the default")
    func ownTTL() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user, message: "long", members: ",\"ttl_seconds\":600")
        try await device.read(try await device.push())
        try await janitorPasses()
        try await janitorPasses()
        #expect(try await pod.device(user).replay.texts == ["long"])
    }

    @Test("a state field without an entry is dropped, others stay")
    func orphanedState() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user, members: ",\"ttl_seconds\":600")
        let push = try await device.push()
        try await device.read(push)
        try await pod.redis("HSET", user.state, newUUID(), "read")
        let kept = try #require(push["notification_id"]?.string)
        try await wait(until: "the orphan is dropped", within: .seconds(15)) {
            try await pod.redis("HKEYS", user.state).strings == [kept]
        }
    }

    @Test("an entry removed by hand leaves the pending list")
    func removedByHand() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user, members: ",\"ttl_seconds\":600")
        let push = try await device.push()
        try await wait(until: "the entry is pending") { try await pod.pendingCount(user) == 1 }
        try await pod.redis("XDEL", user.stream, push["stream_id"]?.string ?? "")
        try await wait(until: "it leaves the list", within: .seconds(15)) { try await pod.pendingCount(user) == 0 }
    }
}

/// Numbers that only a pod without other traffic shows.
@Suite("TTL janitor: counting")
struct JanitorCountTests {
    @Test("two devices, one notification: counted once")
    func countedOnce() async throws {
        // The sweep finds what expires before the clock's minute, and with it the janitor's turn, is over.
        let environment = ["TTL_JANITOR_INTERVAL": "1s", "GROUP_MAINTENANCE_INTERVAL": "1s", "NOTIFICATION_TTL": "2s"]
        try await Pod.with(environment) { pod in
            let user = TestUser()
            let devices = [try await pod.device(user), try await pod.device(user)]
            try await pod.notify(user)
            for device in devices {
                _ = try await device.client.first("notification.auto_cleared", within: .seconds(15))
            }
            try await wait(until: "it is counted", within: .seconds(10)) {
                try await pod.metric("notifications_auto_cleared_total") == 1
            }
            let offline = TestUser()
            let id = try await pod.notify(offline)[0]
            try await wait(until: "the payload expires", within: .seconds(10)) {
                try await pod.redis("EXISTS", "notification:\(id)") == .integer(0)
            }
            #expect(try await pod.device(offline).replay.count == 1)
            try await wait(until: "the entry is removed", within: .seconds(15)) {
                try await pod.redis("XLEN", offline.stream) == .integer(0)
            }
            #expect(try await pod.metric("notifications_auto_cleared_total") == 2)
            #expect(try await pod.metric("notifications_acked_total") == 0)
        }
    }
}
