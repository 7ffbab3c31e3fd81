import CarillonDomain
import Testing

/// The `target` member of a notify request.
@Suite struct NotifyTargetTests {
    private func request(_ target: String) throws -> NotifyRequest {
        try parse("{\"target\":\(target),\"message\":\"hi\"}")
    }

    private func users(_ count: Int) -> String {
        "[\((0..<count).map { "{\"id\":\($0),\"login\":\"u\"}" }.joined(separator: ","))]"
    }

    @Test func inOrderWithRepetitions() throws {
        let request = try request(
            "[{\"id\":2,\"login\":\"b\"},{\"login\":\"a\",\"id\":1,\"more\":{}},{\"id\":2,\"login\":\"b\"}]"
        )
        #expect(request.targets.map(\.key.text) == ["2-b", "1-a", "2-b"])
    }

    @Test(arguments: [(0, false), (1, true), (999, true), (1_000, true), (1_001, false), (5_000, false)])
    func count(count: Int, isValid: Bool) throws {
        #expect(pointers { try request(users(count)) } == (isValid ? [] : ["/target"]))
        if isValid { #expect(try request(users(count)).targets.count == count) }
    }

    @Test(arguments: ["null", "{}", "\"a\"", "1", "true", "{\"id\":1,\"login\":\"a\"}"])
    func mustBeAnArray(target: String) {
        #expect(pointers { try request(target) } == ["/target"])
    }

    @Test func isRequired() {
        #expect(pointers { try parse("{\"message\":\"hi\"}") } == ["/target"])
        #expect(pointers { try parse("{}") } == ["/target", "/message"])
    }

    @Test(arguments: [
        ("1", "/target/0"), ("null", "/target/0"), ("[]", "/target/0"), ("{\"login\":\"a\"}", "/target/0/id"),
        ("{\"id\":null,\"login\":\"a\"}", "/target/0/id"), ("{\"id\":\"1\",\"login\":\"a\"}", "/target/0/id"),
        ("{\"id\":-1,\"login\":\"a\"}", "/target/0/id"), ("{\"id\":1.0,\"login\":\"a\"}", "/target/0/id"),
        ("{\"id\":1e2,\"login\":\"a\"}", "/target/0/id"), ("{\"id\":true,\"login\":\"a\"}", "/target/0/id"),
        ("{\"id\":9223372036854775808,\"login\":\"a\"}", "/target/0/id"), ("{\"id\":1}", "/target/0/login"),
        ("{\"id\":1,\"login\":null}", "/target/0/login"), ("{\"id\":1,\"login\":\"\"}", "/target/0/login"),
        ("{\"id\":1,\"login\":1}", "/target/0/login"), ("{\"id\":1,\"login\":\"a b\"}", "/target/0/login"),
        ("{\"id\":1,\"login\":\"\\u00e9\"}", "/target/0/login"),
    ])
    func wrongUsers(user: String, pointer: String) {
        #expect(pointers { try request("[\(user)]") } == [pointer])
        let second = pointer.replacing("/target/0", with: "/target/1")
        #expect(pointers { try request("[{\"id\":1,\"login\":\"a\"},\(user)]") } == [second])
    }

    @Test func bothFaultsOfAUser() {
        #expect(pointers { try request("[{}]") } == ["/target/0/id", "/target/0/login"])
    }

    @Test func escapedLoginsAndNames() throws {
        let request = try parse(
            "{\"\\u0074arget\":[{\"i\\u0064\":1,\"lo\\u0067in\":\"\\u0061lice\"}],\"messag\\u0065\":\"hi\"}"
        )
        #expect(request.targets.map(\.key.text) == ["1-alice"])
    }

    @Test(arguments: [(63, true), (64, true), (65, false)])
    func lengthOfLogins(length: Int, isValid: Bool) {
        let login = String(repeating: "a", count: length)
        #expect(pointers { try request("[{\"id\":1,\"login\":\"\(login)\"}]") } == (isValid ? [] : ["/target/0/login"]))
    }

    @Test func theLastOfTwoMembersCounts() throws {
        #expect(try request("[{\"id\":1,\"login\":\"a\",\"id\":2}]").targets.map(\.key.text) == ["2-a"])
        let twice = try parse("{\"target\":[1,{}],\"message\":\"hi\",\"target\":[{\"id\":3,\"login\":\"c\"}]}")
        #expect(twice.targets.map(\.key.text) == ["3-c"])
        #expect(pointers { try parse("{\"target\":\(users(1)),\"message\":\"hi\",\"target\":null}") } == ["/target"])
    }

    @Test(
        arguments: [
            ("1", "1-a"), ("\"a-b\"", "a%2Db-a"), ("\"\\u0061\"", "a-a"), ("\"1\"", nil), ("\"\"", nil),
            ("\"a b\"", nil), ("null", nil),
        ] as [(String, String?)]
    )
    func textIDs(id: String, key: String?) throws {
        var limits = NotifyLimits()
        limits.userIDs = .text
        let body = "{\"target\":[{\"id\":\(id),\"login\":\"a\"}],\"message\":\"hi\"}"
        #expect(pointers { try parse(body, limits) } == (key == nil ? ["/target/0/id"] : []))
        #expect((try? parse(body, limits))?.targets.map(\.key.text) == key.map { [$0] })
    }

    @Test func aHundredFaultsAreListed() {
        let wrong = "[\((0..<60).map { _ in "{}" }.joined(separator: ","))]"
        #expect(pointers { try request(wrong) }?.count == 100)
    }
}
