import CarillonTestSupport
import Testing

/// `POST /api/v1/notify` as the contract shows it.
@Suite("Notify", .pod())
struct NotifyTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// The bodies of the contract's curl lines.
    static let documented = [
        """
        {
            "target": [{"id": 1, "login": "alice"}],
            "message": "Your order has been shipped",
            "source": "order-service"
          }
        """,
        """
        {
          "target": [
            {"id": 1, "login": "alice"},
            {"id": 2, "login": "bob"}
          ],
          "message": "Your order #12345 has been shipped and will arrive tomorrow",
          "created_at": "2024-01-01T12:00:00Z",
          "source": "order-service"
        }
        """,
        """
        {
            "target": [{"id": 1, "login": "test_user"}],
            "message": "Welcome to our service!",
            "source": "onboarding-service"
          }
        """,
        """
        {
            "target": [
              {"id": 1, "login": "alice"},
              {"id": 2, "login": "bob"}
            ],
            "message": "System maintenance in 10 minutes",
            "source": "admin-service"
          }
        """,
    ]

    @Test("the documented bodies are taken unchanged", arguments: documented)
    func documentedBodies(body: String) async throws {
        let answer = try await pod.post(body)
        #expect(answer.status == 202)
        #expect(answer["Content-Type"]?.hasPrefix("application/json") == true)
        let asked = try #require(try WireJSON.parse(body)["target"]?.array)
        let rows = try #require(try answer.json["results"]?.array)
        #expect(rows.map { $0["target"] } == asked)
        for row in rows {
            let id = try #require(row["notification_id"]?.string)
            #expect(id.wholeMatch(of: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) != nil)
        }
        #expect(Set(rows.map { $0["notification_id"] }).count == rows.count)
    }

    @Test("curl's own header order and a key of the document")
    func documentedKey() async throws {
        let answer = try await pod.post(Self.documented[0], key: "order-12345-notification")
        #expect(answer.status == 202)
    }

    @Test("results come in the order of the request")
    func order() async throws {
        let users = (0..<50).map { _ in TestUser() }.shuffled()
        let answer = try await pod.post(notifyBody(users, "in order"))
        let rows = try #require(try answer.json["results"]?.array)
        #expect(rows.compactMap { $0["target"]?["id"]?.numberText } == users.map(\.id))
    }

    @Test("a user named twice gets one notification and two equal rows")
    func duplicateTargets() async throws {
        let (user, other) = (TestUser(), TestUser())
        let answer = try await pod.post(notifyBody([user, other, user], "twice"))
        let rows = try #require(try answer.json["results"]?.array)
        try #require(rows.count == 3)
        #expect(rows[0] == rows[2])
        #expect(rows[0] != rows[1])
        #expect(try await pod.redis("XLEN", user.stream) == .integer(1))
    }

    @Test("the same id under another login is another user")
    func sameIDOtherLogin() async throws {
        let user = TestUser()
        let twin = TestUser(id: user.id, login: "twin")
        let ids = try await pod.notify(user, twin)
        #expect(Set(ids).count == 2)
        #expect(try await pod.redis("XLEN", twin.stream) == .integer(1))
    }

    @Test("optional members reach the payload and the push")
    func optionalMembers() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let data = #"{"order":{"n":9007199254740993,"items":[1,2.5,null,true]},"ü":"\u00fc"}"#
        let members = #","title":"T","type":"order_shipped","channel":"orders","priority":"urgent","data":"# + data
        let id = try await pod.notify(user, message: "m", members: members)[0]
        let push = try await device.push()
        let text = try #require(try await pod.redis("GET", "notification:\(id)").string)
        for document in [push, try WireJSON.parse(text)] {
            #expect(document["title"] == .string("T"))
            #expect(document["type"] == .string("order_shipped"))
            #expect(document["channel"] == .string("orders"))
            #expect(document["priority"] == .string("urgent"))
            #expect(document["data"] == (try WireJSON.parse(data)))
        }
    }

    @Test("members that were not given are not made up")
    func absentMembers() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user)
        let push = try await device.push()
        for member in ["title", "type", "channel", "data", "ttl_seconds"] { #expect(push[member] == nil) }
        #expect(push["source"] == nil || push["source"] == .string(""))
    }

    @Test(
        "aliases on input",
        arguments: [
            (#""content":"by content""#, "message", #""by content""#),
            (#""message":"m","content":{"a":1}"#, "data", #"{"a":1}"#),
            (#""message":"m","metadata":{"b":[2]}"#, "data", #"{"b":[2]}"#),
            (#""message":"m","event_type":"security_alert""#, "type", #""security_alert""#),
            (#""message":"m","notification_type":"new_message""#, "type", #""new_message""#),
        ]
    )
    func aliases(members: String, member: String, value: String) async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let answer = try await pod.post("{\"target\":[\(user.json)],\(members)}")
        #expect(answer.status == 202, "\(answer.text)")
        #expect(try await device.push()[member] == (try WireJSON.parse(value)))
    }

    @Test("unknown members are ignored")
    func unknownMembers() async throws {
        let user = TestUser()
        let target = "{\"id\":\(user.id),\"login\":\"user\",\"extra\":[{}]}"
        let body = #"{"x":{"y":[1e400,-0.0,"\u0000"]},"target":[\#(target)],"message":"m","X-Y":null}"#
        let answer = try await pod.post(body)
        #expect(answer.status == 202, "\(answer.text)")
        let row = try answer.json["results"]?[0]
        #expect(row?["target"]?.object?.count == 2)
    }

    @Test("one connection takes many posts, pipelined ones too")
    func pipelining() async throws {
        let user = TestUser()
        let http = try pod.http()
        let body = notifyBody([user], "p")
        let request =
            "POST /api/v1/notify HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        try await http.stream.send(Array(String(repeating: request, count: 20).utf8))
        for _ in 0..<20 { #expect(try await http.response(to: "POST").status == 202) }
        #expect(try await pod.redis("XLEN", user.stream) == .integer(20))
    }

    @Test("a chunked body, and one in single bytes, are read whole")
    func chunkedBody() async throws {
        let user = TestUser()
        let body = notifyBody([user], "chunked")
        let http = try pod.http()
        var request = "POST /api/v1/notify HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        request += "Transfer-Encoding: chunked\r\n\r\n"
        let (front, back) = (body.utf8.prefix(10), body.utf8.dropFirst(10))
        request += "a\r\n\(String(front)!)\r\n\(String(back.count, radix: 16))\r\n\(String(back)!)\r\n0\r\n\r\n"
        for byte in request.utf8 { try await http.stream.send([byte]) }
        #expect(try await http.response(to: "POST").status == 202)
    }

    @Test("Expect: 100-continue is answered")
    func expectContinue() async throws {
        let body = Array(notifyBody([TestUser()], "c").utf8)
        let headers = [("Content-Type", "application/json"), ("Expect", "100-continue")]
        #expect(try await pod.post(body, headers: headers).status == 202)
    }
}
