import CarillonTestSupport
import Testing

/// Every limit of a notify request at, under and over.
@Suite("Notify: limits", .pod())
struct NotifyLimitTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    private func expectInvalid(_ answer: WireResponse, at pointer: String) throws {
        #expect(answer.status == 422, "\(answer.text.prefix(500))")
        let pointers = try answer.json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? []
        #expect(pointers.contains(pointer), "\(pointers)")
    }

    @Test("message of 1 and 262,144 bytes", arguments: [("a", 1), ("a", 262_143), ("a", 262_144), ("é", 131_072)])
    func messageWithin(character: String, count: Int) async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let message = String(repeating: character, count: count)
        try await pod.notify(user, message: message)
        #expect(try await device.push(within: .seconds(10))["message"]?.string?.utf8.count == message.utf8.count)
    }

    @Test("message of 0 and 262,145 bytes", arguments: [("a", 0), ("a", 262_145), ("é", 131_073), ("😀", 65_537)])
    func messageOutside(character: String, count: Int) async throws {
        let user = TestUser()
        let answer = try await pod.post(notifyBody([user], String(repeating: character, count: count)))
        try expectInvalid(answer, at: "/message")
        #expect(try await pod.redis("EXISTS", user.stream) == .integer(0))
    }

    @Test("login of 1 to 64 ASCII letters, digits and _ . @ + -")
    func loginWithin() async throws {
        let logins = ["a", "9", "-", String(repeating: "x", count: 64), "A.b_c@d+e-F9", "a-b-c"]
        for login in logins {
            let user = TestUser(login: login)
            try await pod.notify(user)
            #expect(try await pod.redis("XLEN", user.stream) == .integer(1), "\(login)")
        }
    }

    @Test(
        "logins outside that",
        arguments: [
            "", String(repeating: "x", count: 65), "a b", "a:b", "ü", "a/b", "a\u{0}", "{a}", "a%", "a\n", "a*", "a,b",
        ]
    )
    func loginOutside(login: String) async throws {
        try expectInvalid(try await pod.post(notifyBody([TestUser(login: login)], "m")), at: "/target/0/login")
    }

    @Test("ids from 0 to 2^63-1", arguments: ["0", "1", "9007199254740993", "9223372036854775807"])
    func idWithin(id: String) async throws {
        let user = TestUser(id: id, login: "limit_\(id)")
        let answer = try await pod.post(notifyBody([user], "m"))
        #expect(answer.status == 202)
        #expect(try answer.json["results"]?[0]?["target"]?["id"] == .number(id))
        let nid = try #require(try answer.json["results"]?[0]?["notification_id"]?.string)
        let payload = try #require(try await pod.redis("GET", "notification:\(nid)").string)
        #expect(try WireJSON.parse(payload)["target"]?["id"] == .number(id))
        #expect(try await pod.redis("XLEN", user.stream) == .integer(1))
        let device = try await pod.device(user)
        #expect(device.replay.count == 1)
    }

    @Test(
        "ids outside that",
        arguments: [
            "9223372036854775808", "18446744073709551616", "-1", "1.5", "\"1\"", "true", "null", "[]", "{}", "1e30",
            "\"550e8400-e29b-41d4-a716-446655440000\"",
        ]
    )
    func idOutside(id: String) async throws {
        let answer = try await pod.post("{\"target\":[{\"id\":\(id),\"login\":\"u\"}],\"message\":\"m\"}")
        try expectInvalid(answer, at: "/target/0/id")
    }

    @Test("1 and 1,000 targets")
    func targetsWithin() async throws {
        for count in [1, 999, 1_000] {
            let users = (0..<count).map { _ in TestUser() }
            let answer = try await pod.post(notifyBody(users, "many"))
            #expect(answer.status == 202)
            let rows = try #require(try answer.json["results"]?.array)
            #expect(Set(rows.compactMap { $0["notification_id"]?.string }).count == count)
            #expect(try await pod.redis("XLEN", users[count - 1].stream) == .integer(1))
        }
    }

    @Test("0 and 1,001 targets", arguments: [0, 1_001])
    func targetsOutside(count: Int) async throws {
        let users = (0..<count).map { _ in TestUser() }
        try expectInvalid(try await pod.post(notifyBody(users, "many")), at: "/target")
        if let first = users.first { #expect(try await pod.redis("EXISTS", first.stream) == .integer(0)) }
    }

    @Test("one bad target of many: nothing is stored, and the pointer names it")
    func badTargetAmongMany() async throws {
        let users = [TestUser(), TestUser(), TestUser(login: "not ok"), TestUser()]
        try expectInvalid(try await pod.post(notifyBody(users, "m")), at: "/target/2/login")
        for user in users { #expect(try await pod.redis("EXISTS", user.stream) == .integer(0)) }
    }

    @Test("source up to 128 bytes")
    func source() async throws {
        for (source, fits) in [("", true), ("s", true), (String(repeating: "é", count: 64), true)] {
            let answer = try await pod.post(notifyBody([TestUser()], "m", ",\"source\":\"\(source)\""))
            #expect((answer.status == 202) == fits)
        }
        for source in [String(repeating: "s", count: 129), String(repeating: "é", count: 65)] {
            try expectInvalid(
                try await pod.post(notifyBody([TestUser()], "m", ",\"source\":\"\(source)\"")),
                at: "/source"
            )
        }
        let longest = String(repeating: "s", count: 128)
        #expect(try await pod.post(notifyBody([TestUser()], "m", ",\"source\":\"\(longest)\"")).status == 202)
    }

    @Test("ttl_seconds of 1 and 1,296,000", arguments: [1, 2, 1_295_999, 1_296_000])
    func ttlWithin(seconds: Int) async throws {
        let id = try await pod.notify(TestUser(), members: ",\"ttl_seconds\":\(seconds)")[0]
        let left = try #require(try await pod.redis("PTTL", "notification:\(id)").int)
        if seconds > 1 { #expect(left > (seconds - 2) * 1_000 && left <= seconds * 1_000) }
    }

    @Test("ttl_seconds outside that", arguments: ["0", "1296001", "-1", "1.5", "\"60\"", "true", "1e99"])
    func ttlOutside(seconds: String) async throws {
        try expectInvalid(
            try await pod.post(notifyBody([TestUser()], "m", ",\"ttl_seconds\":\(seconds)")),
            at: "/ttl_seconds"
        )
    }

    @Test("priority is one of four", arguments: ["low", "medium", "high", "urgent"])
    func priority(value: String) async throws {
        #expect(try await pod.post(notifyBody([TestUser()], "m", ",\"priority\":\"\(value)\"")).status == 202)
        try expectInvalid(
            try await pod.post(notifyBody([TestUser()], "m", ",\"priority\":\"\(value)er\"")),
            at: "/priority"
        )
    }

    @Test("a body of 1 MiB is taken, one byte more is not")
    func bodySize() async throws {
        let body = Array(notifyBody([TestUser()], "m").utf8)
        for (size, status) in [(1_048_575, 202), (1_048_576, 202), (1_048_577, 413), (3_000_000, 413)] {
            let padded = body + Array(repeating: UInt8(ascii: " "), count: size - body.count)
            let answer = try await pod.post(padded)
            #expect(answer.status == status, "\(size) bytes")
            if status == 413 { #expect(try answer.json["status"] == .number("413")) }
        }
    }

    @Test("a chunked body over 1 MiB is refused as well")
    func chunkedBodySize() async throws {
        let http = try pod.http()
        let head =
            "POST /api/v1/notify HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n"
        let chunk = Array("10000\r\n".utf8) + Array(repeating: UInt8(ascii: " "), count: 65_536) + [0x0d, 0x0a]
        var bytes = Array(head.utf8)
        for _ in 0..<20 { bytes += chunk }
        try await http.stream.send(bytes + Array("0\r\n\r\n".utf8))
        #expect(try await http.response(to: "POST").status == 413)
    }
}
