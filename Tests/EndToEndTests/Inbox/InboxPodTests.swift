import CarillonTestSupport
import Testing

/// Inboxes where a pod is set up in a way of its own, or is not alone.
@Suite("Inbox on other pods")
struct InboxPodTests {
    @Test("Redis away is a 503, and nothing is said to have happened")
    func redisAway() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let id = try await pod.notify(user)[0]
            await pod.redisProcess.stop()
            for (method, path) in [("GET", ""), ("PUT", "/\(id)/read"), ("DELETE", "/\(id)"), ("PUT", "/read-all")] {
                let answer = try await pod.inbox(user, method, path)
                #expect(answer.status == 503)
                #expect(answer["Retry-After"] == "1")
            }
        }
    }

    @Test("marks and receipts go with their entries")
    func bounded() async throws {
        try await Pod.with(["GROUP_MAINTENANCE_INTERVAL": "1s", "TTL_JANITOR_INTERVAL": "1s"]) { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            let id = try await pod.notify(user, members: #","collapse_key":"k""#)[0]
            try await device.read(try await device.push())
            try await pod.inboxDocument(user, "PUT", "/\(id)/seen")
            try await wait(until: "receipts are written") {
                try await pod.redis("HLEN", "notif:receipts:\(user.key)").int == 2
            }
            #expect(try await pod.redis("HLEN", "notif:inbox:\(user.key)").int == 2)
            try await pod.redis("DEL", "notification:\(id)")
            try await wait(until: "nothing is left of it", within: .seconds(15)) {
                let marks = try await pod.redis("EXISTS", "notif:inbox:\(user.key)").int
                let receipts = try await pod.redis("EXISTS", "notif:receipts:\(user.key)").int
                return marks == 0 && receipts == 0
            }
        }
    }

    @Test("what another pod was told is news here")
    func otherPod() async throws {
        try await TwoPods.with { pods in
            let user = TestUser()
            let answer = try await pods.second.poll(user, "&wait=10") {
                try await pods.first.notify(user, message: "from afar")
            }
            #expect(try answer.json["notifications"]?.array?.first?["message"]?.string == "from afar")
        }
    }

    @Test("deliveries of all pods are added up")
    func deliveriesOfAllPods() async throws {
        try await TwoPods.with { pods in
            let other = try await pods.first.device(pods.user)
            let id = try await pods.first.notify(pods.user, message: "to both")[0]
            _ = try await other.push()
            _ = try await pods.device.push()
            try await wait(until: "both are written down") {
                try await pods.second.get("/api/v1/notify/\(id)").json["delivered"]?["devices"] == .number("2")
            }
        }
    }

    /// The line that would have told it went to a bus that somebody deleted.
    @Test("a change that was lost on the bus is made up for by the number")
    func lostChange() async throws {
        try await TwoPods.with { pods in
            let device = try await pods.second.device(pods.user, "&unread_count=true")
            let id = try #require(try await pods.first.inboxIDs(pods.user).first)
            #expect(device.ready["unread_count"] == .number("1"))
            try await pods.redis("DEL", pods.bus)
            try await pods.first.inboxDocument(pods.user, "PUT", "/\(id)/archive")
            let change = try await device.client.first("inbox.changed", within: .seconds(15))
            #expect(change["unread_count"] == .number("0"))
        }
    }

    @Test("a thousand users' earlier notifications are replaced in one request")
    func collapseForMany() async throws {
        try await Pod.with { pod in
            let users = (0..<1_000).map { _ in TestUser() }
            for _ in 0..<2 {
                let answer = try await pod.post(notifyBody(users, "m", #","collapse_key":"k""#))
                #expect(answer.status == 202)
            }
            for user in [users[0], users[999]] { #expect(try await pod.inboxIDs(user).count == 1) }
        }
    }
}
