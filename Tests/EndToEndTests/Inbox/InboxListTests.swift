import CarillonTestSupport
import Testing

/// `GET /api/v1/notifications` and what counts.
@Suite("Inbox list", .pod())
struct InboxListTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("an item has what was sent, under the names of all its readers")
    func item() async throws {
        let user = TestUser()
        let members = #","title":"Order 7","type":"order.shipped","channel":"orders","data":{"order":7},"source":"s""#
        let id = try await pod.notify(user, message: "Shipped", members: members)[0]
        let item = try #require(try await pod.inboxDocument(user)["notifications"]?.array?.first)
        for name in ["id", "notification_id"] { #expect(item[name]?.string == id) }
        for name in ["type", "notification_type"] { #expect(item[name]?.string == "order.shipped") }
        for name in ["read", "is_read"] { #expect(item[name] == .bool(false)) }
        for name in ["data", "content"] { #expect(item[name]?["order"] == .number("7")) }
        #expect(item["user_id"]?.numberText == user.id)
        #expect(item["login"]?.string == user.login)
        #expect(item["status"]?.string == "pending")
        #expect(item["priority"]?.string == "medium")
        #expect(item["message"]?.string == "Shipped")
        #expect(item["read_at"] == .null)
        #expect(EntryID(item["stream_id"]?.string) != nil)
        let single = try await pod.inboxDocument(user, "GET", "/\(id)")
        #expect(single == item)
        let plain = TestUser()
        try await pod.notify(plain, message: "m")
        let other = try #require(try await pod.inboxDocument(plain)["notifications"]?.array?.first)
        #expect(other["content"]?.string == "m")
        #expect(other["type"] == .null)
    }

    @Test("pages by cursor, offset and number show each once, newest first")
    func pages() async throws {
        let user = TestUser()
        var ids: [String] = []
        for number in 0..<7 { ids.insert(try await pod.notify(user, message: "\(number)")[0], at: 0) }
        #expect(try await pod.inboxIDs(user) == ids)
        var byCursor: [String] = []
        var query = "&limit=3"
        while true {
            let page = try await pod.inboxDocument(user, query: query)
            #expect(page["total"] == .number("7"))
            byCursor += (page["notifications"]?.array ?? []).compactMap { $0["id"]?.string }
            guard let next = page["next_cursor"]?.string else {
                #expect(page["has_more"] == .bool(false))
                break
            }
            #expect(page["has_more"] == .bool(true))
            query = "&limit=3&cursor=\(next)"
        }
        #expect(byCursor == ids)
        #expect(try await pod.inboxIDs(user, "&limit=3&offset=6") == [ids[6]])
        #expect(try await pod.inboxIDs(user, "&limit=3&page=2") == Array(ids[3..<6]))
        #expect(try await pod.inboxIDs(user, "&offset=7").isEmpty)
        #expect(try await pod.inbox(user, query: "&page=1&offset=0").status == 400)
    }

    @Test("filters leave what they name, and counts follow them")
    func filters() async throws {
        let user = TestUser()
        let first = try await pod.notify(
            user,
            message: "Alpha",
            members: #","type":"a","channel":"x","created_at":"2024-01-01T12:00:00Z""#
        )[0]
        let second = try await pod.notify(
            user,
            message: "beta",
            members: #","type":"b","title":"ALPHA two","created_at":"2024-01-02T12:00:00Z""#
        )[0]
        try await pod.inboxDocument(user, "PUT", "/\(first)/read")
        #expect(try await pod.inboxIDs(user, "&unread_only=true") == [second])
        #expect(try await pod.inboxIDs(user, "&notification_type=a") == [first])
        #expect(try await pod.inboxIDs(user, "&type=a,b") == [second, first])
        #expect(try await pod.inboxIDs(user, "&channel=x") == [first])
        #expect(try await pod.inboxIDs(user, "&q=alpha") == [second, first])
        #expect(try await pod.inboxIDs(user, "&q=beta") == [second])
        #expect(try await pod.inboxIDs(user, "&from=2024-01-02T12:00:00Z") == [second])
        #expect(try await pod.inboxIDs(user, "&to=2024-01-02T12:00:00Z") == [first])
        let count = try await pod.inboxDocument(user, "GET", "/count", query: "&type=a")
        #expect(count["count"] == .number("1"))
        #expect(count["unread_count"] == .number("1"))
        #expect(try await pod.inboxDocument(user, "GET", "/count")["count"] == .number("2"))
        #expect(try await pod.inboxDocument(user, "GET", "/unread-count")["count"] == .number("1"))
    }

    @Test("what has expired is in no answer")
    func expired() async throws {
        let user = TestUser()
        let kept = try await pod.notify(user)[0]
        let gone = try await pod.notify(user)[0]
        try await pod.redis("DEL", "notification:\(gone)")
        #expect(try await pod.inboxIDs(user) == [kept])
        #expect(try await pod.unreadCount(user) == "1")
        #expect(try await pod.inbox(user, "GET", "/\(gone)").status == 404)
        #expect(try await pod.inbox(user, "PUT", "/\(gone)/read").status == 404)
    }

    @Test("a poller that has the answer already gets 304")
    func entityTags() async throws {
        let user = TestUser()
        try await pod.notify(user)
        let target = "/api/v1/notifications?\(user.query)"
        let first = try await pod.http().request("GET", target)
        let tag = try #require(first["ETag"])
        let second = try await pod.http().request("GET", target, headers: [("If-None-Match", tag)])
        #expect(second.status == 304)
        #expect(second.body.isEmpty)
        #expect(second["ETag"] == tag)
        try await pod.notify(user)
        #expect(try await pod.http().request("GET", target, headers: [("If-None-Match", tag)]).status == 200)
    }

    @Test("the alias speaks camelCase, a trailing slash is no other path")
    func alias() async throws {
        let user = TestUser()
        let id = try await pod.notify(user, message: "m", members: #","data":{"a":1}"#)[0]
        let page = try await pod.inbox(user, "GET", "/", base: "/api/notifications").json
        let item = try #require(page["notifications"]?.array?.first)
        #expect(item["id"]?.string == id)
        #expect(item["createdAt"]?.string != nil)
        #expect(item["readAt"] == .null)
        #expect(item["user_id"] == nil)
        #expect(page["pagination"]?["total"] == .number("1"))
        #expect(page["pagination"]?["page"] == .number("1"))
        #expect(page["unreadCount"] == .number("1"))
        let body = #"{"readAt":"2024-01-01T12:00:00Z"}"#
        let read = try await pod.inbox(user, "PUT", "/\(id)/read", body: body, base: "/api/notifications").json
        #expect(read["readAt"]?.string == "2024-01-01T12:00:00Z")
        #expect(read["unreadCount"] == .number("0"))
        #expect(try await pod.inbox(user, "GET", "/").status == 200)
        let sent = #"{"recipients":[\#(user.json)],"message":"m"}"#
        for base in ["/api/notifications", "/api/v1/notifications"] {
            #expect(try await pod.inbox(user, "POST", "", body: sent, base: base).status == 202)
        }
        #expect(try await pod.inboxIDs(user).count == 3)
    }

    @Test("users, ids and methods that are not known are refused")
    func refusals() async throws {
        let user = TestUser()
        let id = try await pod.notify(user)[0]
        #expect(try await pod.get("/api/v1/notifications").status == 400)
        #expect(try await pod.get("/api/v1/notifications?user_id=1").status == 400)
        let stranger = TestUser()
        for (method, path) in [("GET", ""), ("DELETE", ""), ("PUT", "/read"), ("PUT", "/archive")] {
            let answer = try await pod.inbox(stranger, method, "/\(id)\(path)")
            #expect(answer.status == 404)
            #expect(try answer.json["error"]?.string == "not_found")
            #expect(try answer.json["detail"]?.string == "Notification not found")
        }
        let wrong = try await pod.inbox(user, "POST", "/\(id)/read")
        #expect(wrong.status == 405)
        #expect(wrong["Allow"] == "PUT, OPTIONS")
        #expect(try await pod.inbox(user, "PUT", "/\(id)")["Allow"] == "GET, HEAD, DELETE, OPTIONS")
        #expect(try await pod.inbox(user, "PUT", "/\(id)/frobnicate").status == 404)
        #expect(try await pod.inbox(user, "GET", "/health").status == 200)
    }
}
