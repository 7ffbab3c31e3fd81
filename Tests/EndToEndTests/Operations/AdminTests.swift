import CarillonTestSupport
import Foundation
import Testing

/// The admin lists' shapes.
@Suite("Admin", .pod())
struct AdminTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    private func rows(_ list: String, of user: TestUser) async throws -> [WireJSON] {
        let document = try await pod.get("/api/v1/admin/\(list)?limit=10000").json
        return try #require(document[list]?.array).filter { $0["id"]?.numberText == user.id }
    }

    @Test("clients: one row for each connection")
    func clients() async throws {
        let user = TestUser(login: "alice")
        let devices = [try await pod.device(user), try await pod.device(user)]
        try await wait(until: "both are listed") { try await rows("clients", of: user).count == 2 }
        let listed = try await rows("clients", of: user)
        #expect(Set(listed.map { $0["connection_id"] }) == Set(devices.map { $0.ready["connection_id"] }))
        for row in listed {
            #expect(row["login"] == .string("alice"))
            #expect(row["pod_id"] == .string(pod.server.podID))
            #expect(row["transport"]?.string?.isEmpty == false)
            let time = try #require(instant(row["connected_at"]?.string))
            #expect(abs(time - Date().timeIntervalSince1970) < 60)
        }
        for device in devices { device.client.drop() }
        try await wait(until: "none is listed") { try await rows("clients", of: user).isEmpty }
    }

    @Test("users: one row for each user with a device")
    func users() async throws {
        let (online, offline) = (TestUser(login: "online"), TestUser(login: "offline"))
        let devices = [try await pod.device(online), try await pod.device(online)]
        try await pod.notify(offline)
        try await wait(until: "the user is listed") {
            try await rows("users", of: online).map { $0["connections"] } == [.number("2")]
        }
        #expect(try await rows("users", of: online).map { $0["login"] } == [.string("online")])
        #expect(try await rows("users", of: offline).isEmpty)
        for device in devices { device.client.drop() }
        try await wait(until: "the user is gone") { try await rows("users", of: online).isEmpty }
    }

    @Test("pending: what is unread, delivered or not, by user")
    func pending() async throws {
        let user = TestUser(login: "alice")
        try await pod.notify(user, message: "one", members: ",\"source\":\"chat-api\"")
        try await pod.notify(user, message: "two")
        func listed() async throws -> [WireJSON] {
            let answer = try await pod.get("/api/v1/admin/pending")
            #expect(answer.status == 200)
            return try answer.json["pending_notifications"]?[user.key]?.array ?? []
        }
        let rows = try await listed()
        #expect(rows.compactMap { $0["payload"]?["message"]?.string } == ["two", "one"])
        for row in rows {
            #expect(EntryID(row["id"]?.string) != nil)
            #expect(row["read"] == .bool(false))
            #expect(row["payload"]?["notification_id"]?.string?.count == 36)
            #expect(instant(row["payload"]?["created_at"]?.string) != nil)
            #expect(row["payload"]?["target"] == (try WireJSON.parse(user.json)))
        }
        let device = try await pod.device(user)
        #expect(try await listed().count == 2)
        try await device.read(device.replay[0])
        #expect(try await listed().compactMap { $0["payload"]?["message"]?.string } == ["two"])
        try await device.read(device.replay[1])
        try await wait(until: "nothing is pending") { try await listed().isEmpty }
    }

    @Test("history: oldest first, with read and status")
    func history() async throws {
        let user = TestUser(login: "alice")
        for text in ["one", "two", "three"] { try await pod.notify(user, message: text) }
        let device = try await pod.device(user)
        try await device.read(device.replay[1])
        let answer = try await pod.get("/api/v1/admin/history?user_id=\(user.id)&login=alice")
        #expect(answer.status == 200)
        let document = try answer.json
        #expect(document["user"] == (try WireJSON.parse(user.json)))
        #expect(document["total"] == .number("3"))
        let messages = try #require(document["messages"]?.array)
        #expect(messages.compactMap { $0["payload"]?["message"]?.string } == ["one", "two", "three"])
        #expect(messages.map { $0["read"] } == [.bool(false), .bool(true), .bool(false)])
        #expect(messages.map { $0["status"]?.string } == ["unread", "read", "unread"])
        #expect(messages.compactMap { $0["id"]?.string } == device.replay.streamIDs)
    }

    @Test("history of a user who has none is empty")
    func emptyHistory() async throws {
        let user = TestUser()
        let document = try await pod.get("/api/v1/admin/history?\(user.query)").json
        #expect(document["messages"] == .array([]))
        #expect(document["total"] == .number("0"))
        #expect(try await pod.redis("EXISTS", user.stream) == .integer(0))
    }

    @Test(
        "history asks for whom",
        arguments: ["", "?user_id=1", "?login=a", "?user_id=x&login=a", "?user_id=1&login=a%20b"]
    )
    func badHistory(query: String) async throws {
        let answer = try await pod.get("/api/v1/admin/history\(query)")
        #expect(answer.status == 400)
        #expect(answer["Content-Type"]?.hasPrefix("application/problem+json") == true)
    }

    @Test("large ids keep all their digits")
    func largeIDs() async throws {
        let user = TestUser(id: "9223372036854775806", login: "large")
        let device = try await pod.device(user)
        try await pod.notify(user)
        _ = try await device.push()
        try await wait(until: "it is listed") { try await rows("clients", of: user).count == 1 }
        #expect(try await rows("users", of: user).count == 1)
        let pending = try await pod.get("/api/v1/admin/pending").json["pending_notifications"]?[user.key]
        #expect(pending?[0]?["payload"]?["target"]?["id"] == .number(user.id))
        #expect(try await pod.get("/api/v1/admin/history?\(user.query)").json["user"]?["id"] == .number(user.id))
    }

    @Test(
        "limits and cursors that make no sense are refused, never an inner error",
        arguments: ["clients", "users", "pending"]
    )
    func badPaging(list: String) async throws {
        for query in ["limit=x", "limit=-1", "cursor=%00", "cursor=%7B%7D", "cursor=999999999999999999999999"] {
            #expect(try await pod.get("/api/v1/admin/\(list)?\(query)").status < 500, "\(query)")
        }
    }
}

/// Totals and pages, which other tests' users would disturb.
@Suite("Admin: pages")
struct AdminPageTests {
    /// The rows of all pages of two.
    private func pages(_ pod: Pod, _ list: String) async throws -> [WireJSON] {
        var rows: [WireJSON] = []
        var cursor = ""
        for _ in 0..<20 {
            let document = try await pod.get("/api/v1/admin/\(list)?limit=2\(cursor)").json
            let page = try #require(document[list]?.array)
            #expect(page.count <= 2)
            rows += page
            guard let next = document["next_cursor"]?.string ?? document["next_cursor"]?.numberText else { return rows }
            cursor = "&cursor=\(next.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? next)"
        }
        Issue.record("the pages of \(list) have no end")
        return rows
    }

    @Test("all rows come once, newest first, with totals")
    func paging() async throws {
        try await Pod.with { pod in
            let users = (0..<5).map { _ in TestUser() }
            var devices: [Device] = []
            for user in users { devices.append(try await pod.device(user)) }
            devices.append(try await pod.device(users[0]))
            try await wait(until: "all are listed") {
                try await pod.get("/api/v1/admin/clients").json["total"] == .number("6")
            }
            let clients = try await pages(pod, "clients")
            #expect(clients.count == 6)
            #expect(Set(clients.map { $0["connection_id"] }) == Set(devices.map { $0.ready["connection_id"] }))
            let times = clients.compactMap { instant($0["connected_at"]?.string) }
            #expect(times == times.sorted(by: >))
            let document = try await pod.get("/api/v1/admin/users").json
            #expect(document["total"] == .number("5"))
            let listed = try await pages(pod, "users")
            #expect(listed.count == 5)
            #expect(Set(listed.map { $0["id"]?.numberText }) == Set(users.map(\.id)))
            #expect(listed.first { $0["id"]?.numberText == users[0].id }?["connections"] == .number("2"))
        }
    }

    @Test("pending has totals of entries and of users, and pages")
    func pendingTotals() async throws {
        try await Pod.with { pod in
            #expect(
                try await pod.get("/api/v1/admin/pending").json["total_pending"] == .number("0")
            )
            let users = (0..<3).map { _ in TestUser() }
            for user in users + [users[0], users[0]] { try await pod.notify(user) }
            let document = try await pod.get("/api/v1/admin/pending").json
            #expect(document["total_pending"] == .number("5"))
            #expect(document["users_with_pending"] == .number("3"))
            #expect(Set(document["pending_notifications"]?.object?.keys.map(\.self) ?? []) == Set(users.map(\.key)))
            let first = try #require(document["pending_notifications"]?[users[0].key]?.array)
            let ids = first.compactMap { EntryID($0["id"]?.string) }
            #expect(ids.count == 3 && ids == ids.sorted(by: >))
            var seen: Set<String> = []
            var cursor = ""
            for _ in 0..<10 {
                let page = try await pod.get("/api/v1/admin/pending?limit=2\(cursor)").json
                for (_, rows) in try #require(page["pending_notifications"]?.object) {
                    for row in rows.array ?? [] { seen.insert(row["payload"]?["notification_id"]?.string ?? "") }
                }
                guard let next = page["next_cursor"]?.string ?? page["next_cursor"]?.numberText else { break }
                cursor = "&cursor=\(next.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? next)"
            }
            #expect(seen.count == 5)
        }
    }
}
