import CarillonTestSupport
import Testing

/// Two pods on one Redis: what happens on one shows on the other.
@Suite("Two pods", .serialized, .pod(["TTL_JANITOR_INTERVAL": "1s", "STREAM_MAXLEN": "1000"]))
struct TwoPodTests {
    let first: Pod

    init() throws { first = try Pod.current }

    /// Starts a second pod, and returns once the first one knows it.
    private func withSecond(_ body: (Pod) async throws -> Void) async throws {
        let second = try await first.another(
            ["TTL_JANITOR_INTERVAL": "1s", "STREAM_MAXLEN": "1000", "DRAIN_SECONDS": "0"]
        )
        defer { second.server.kill() }
        let user = TestUser()
        let device = try await second.device(user)
        try await first.notify(user, message: "known")
        #expect(try await device.push(within: .seconds(10))["message"] == .string("known"))
        try await body(second)
        #expect(try await second.server.terminate() == 0)
    }

    private func stored(_ user: TestUser) async throws -> [String] {
        try await first.redis("XRANGE", user.stream, "-", "+").array.compactMap { $0.array.first?.string }
    }

    @Test("posts to both pods at once reach the devices of both, in stream order, none lost, none twice")
    func order() async throws {
        try await withSecond { second in
            let user = TestUser()
            let devices = [try await first.device(user), try await second.device(user)]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<6 {
                    let pod = sender % 2 == 0 ? first : second
                    group.addTask {
                        let http = try pod.http()
                        for number in 0..<40 { try await pod.notify(user, message: "\(sender)/\(number)", on: http) }
                    }
                }
                try await group.waitForAll()
            }
            let stored = try await stored(user)
            #expect(stored.count == 240)
            for device in devices {
                var pushes: [WireJSON] = []
                for _ in 0..<240 { pushes.append(try await device.push(within: .seconds(10))) }
                #expect(pushes.streamIDs == stored)
                #expect(try await device.messages().isEmpty)
            }
        }
    }

    @Test("a post to a pod without the user's device is pushed on the other one, whatever its size")
    func otherPodOnly() async throws {
        try await withSecond { second in
            let user = TestUser()
            let device = try await second.device(user)
            for count in [1, 4_000, 4_200, 200_000] {
                let message = String(repeating: "m", count: count)
                try await first.notify(user, message: message)
                #expect(try await device.push()["message"]?.string == message)
            }
            #expect(try await device.messages().isEmpty)
        }
    }

    @Test("a read on one pod shows on the other, in acknowledgements, counts and history")
    func read() async throws {
        try await withSecond { second in
            let user = TestUser()
            let (here, there) = (try await first.device(user), try await second.device(user))
            try await first.notify(user)
            let push = try await here.push()
            #expect(try await there.push() == push)
            try await here.read(push)
            let told = try await there.client.expect("notification.read.ack")
            #expect(told["notification_id"] == push["notification_id"])
            #expect(told["stream_id"] == push["stream_id"])
            let late = try await second.device(user)
            #expect(late.ready["unread_count"] == .number("0"))
            #expect(late.replay.map { $0["status"] } == [.string("read")])
            let history = try await second.get("/api/v1/admin/history?\(user.query)").json
            #expect(history["messages"]?[0]?["read"] == .bool(true))
            #expect(try await first.pendingCount(user) == 0)
        }
    }

    @Test("the other way round too, whichever pod keeps the consumer group")
    func readOnOtherPod() async throws {
        try await withSecond { second in
            let user = TestUser()
            let (there, here) = (try await second.device(user), try await first.device(user))
            try await first.notify(user)
            let push = try await here.push()
            _ = try await there.push()
            try await here.read(push)
            try await there.client.expect("notification.read.ack")
            try await second.notify(user, message: "more")
            let more = try await there.push()
            _ = try await here.push()
            try await there.read(more)
            try await here.client.expect("notification.read.ack")
            try await wait(until: "nothing is pending") { try await first.pendingCount(user) == 0 }
        }
    }

    @Test("auto_cleared is told once on both pods, and counted once")
    func autoCleared() async throws {
        try await withSecond { second in
            let user = TestUser()
            let devices = [try await first.device(user), try await second.device(user)]
            let before = try await cleared(second)
            let id = try await first.notify(user, members: ",\"ttl_seconds\":1")[0]
            for device in devices {
                _ = try await device.push()
                let told = try await device.client.expect("notification.auto_cleared", within: .seconds(25))
                #expect(told["notification_id"] == .string(id))
            }
            try await wait(until: "the entry is removed") { try await first.redis("XLEN", user.stream) == .integer(0) }
            #expect(try await cleared(second) == before + 1)
            for device in devices { #expect(try await device.messages().isEmpty) }
        }
    }

    /// Cleared notifications of all pods; only one test of this suite clears any.
    private func cleared(_ second: Pod) async throws -> Double {
        let name = "notifications_auto_cleared_total"
        return try await first.metric(name) + second.metric(name)
    }

    @Test("admin lists show the devices of both pods on both")
    func adminLists() async throws {
        try await withSecond { second in
            let user = TestUser()
            var devices: [Device] = []
            for pod in [first, second, second] { devices.append(try await pod.device(user)) }
            let ids = Set(devices.map { $0.ready["connection_id"] })
            for pod in [first, second] {
                try await wait(until: "all are listed on \(pod.server.podID)") {
                    try await rows("clients", of: user, on: pod).count == 3
                }
                let listed = try await rows("clients", of: user, on: pod)
                #expect(Set(listed.map { $0["connection_id"] }) == ids)
                let pods = listed.compactMap { $0["pod_id"]?.string }
                #expect(pods == [second.server.podID, second.server.podID, first.server.podID])
                let users = try await rows("users", of: user, on: pod)
                #expect(users.map { $0["connections"] } == [.number("3")])
                #expect(users.map { $0["login"] } == [.string(user.login)])
            }
            devices[1].client.drop()
            try await wait(until: "the one that left is off the list") {
                try await rows("clients", of: user, on: first).count == 2
            }
            #expect(try await rows("users", of: user, on: first).map { $0["connections"] } == [.number("2")])
        }
    }

    /// A user's rows of a whole listing, read in pages of two.
    private func rows(_ list: String, of user: TestUser, on pod: Pod) async throws -> [WireJSON] {
        var rows: [WireJSON] = []
        var cursor = ""
        while true {
            let page = try await pod.get("/api/v1/admin/\(list)?limit=2\(cursor)").json
            rows += try #require(page[list]?.array)
            guard let next = page["next_cursor"]?.string else { return rows.filter { $0["id"] == .number(user.id) } }
            cursor = "&cursor=\(next)"
        }
    }

    @Test("a pod that stops releases its users, and a device moves over without loss")
    func handOver() async throws {
        let second = try await first.another()
        defer { second.server.kill() }
        let user = TestUser()
        let device = try await second.device(user)
        try await wait(until: "the second pod holds the lock") {
            try await first.redis("GET", user.lock) == .text(second.server.podID)
        }
        async let status = second.server.terminate()
        #expect(try await device.client.closing(within: .seconds(10)).code == 1001)
        try await first.notify(user, message: "in between")
        let since = "&since=\(device.ready["last_stream_id"]?.string ?? "")&epoch=\(device.epoch)"
        let back = try await first.device(user, since)
        #expect(back.replay.texts == ["in between"])
        #expect(try await status == 0)
        try await wait(until: "the first pod holds the lock", within: .seconds(5)) {
            try await first.redis("GET", user.lock) == .text(first.server.podID)
        }
        try await first.notify(user, message: "here")
        #expect(try await back.push()["message"] == .string("here"))
    }
}
