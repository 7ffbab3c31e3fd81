import CarillonDomain
import Foundation
import Testing

/// Other names, repeated members and escapes in a notify request.
@Suite struct NotifyAliasTests {
    @Test(arguments: [
        ("\"content\":\"c\"", "message", "c"), ("\"message\":\"m\",\"content\":\"c\"", "message", "m"),
        ("\"content\":\"c\",\"message\":\"m\"", "message", "m"),
        ("\"message\":\"m\",\"event_type\":\"e\"", "type", "e"),
        ("\"message\":\"m\",\"notification_type\":\"n\"", "type", "n"),
        ("\"message\":\"m\",\"notification_type\":\"n\",\"event_type\":\"e\"", "type", "e"),
        ("\"message\":\"m\",\"notification_type\":\"n\",\"event_type\":\"e\",\"type\":\"t\"", "type", "t"),
    ])
    func words(members: String, member: String, value: String) throws {
        let request = try parse(members: members, message: "")
        #expect(payload(request)?[member] as? String == value)
        if member == "type" { #expect(request.type == value) }
        #expect(payload(request)?["event_type"] == nil)
    }

    @Test(arguments: [
        ("\"data\":{\"d\":1}", ["d": 1]), ("\"metadata\":{\"m\":1}", ["m": 1]), ("\"content\":{\"c\":1}", ["c": 1]),
        ("\"metadata\":{\"m\":1},\"data\":{\"d\":1}", ["d": 1]),
        ("\"content\":{\"c\":1},\"metadata\":{\"m\":1}", ["m": 1]),
    ])
    func objects(members: String, data: [String: Int]) throws {
        #expect(payload(try parse(members: members))?["data"] as? [String: Int] == data)
    }

    @Test func contentAloneMustBeText() {
        #expect(pointers { try parse(members: "\"content\":1", message: "") } == ["/content"])
        #expect(pointers { try parse(members: "\"content\":\"\"", message: "") } == ["/content"])
        #expect(pointers { try parse(members: "\"content\":{}", message: "") } == ["/message"])
    }

    @Test func theLastOfTwoMembersCounts() throws {
        let request = try parse(
            members:
                "\"message\":1,\"ttl_seconds\":0,\"title\":\"a\",\"message\":\"b\",\"title\":\"c\",\"ttl_seconds\":9"
        )
        #expect(payload(request)?["message"] as? String == "b")
        #expect(payload(request)?["title"] as? String == "c")
        #expect(request.ttlSeconds == 9)
        #expect(pointers { try parse(members: "\"message\":\"a\",\"message\":null") } == ["/message"])
    }

    @Test func escapedNames() throws {
        let request = try parse(
            members: "\"\\u006dessage\":\"m\",\"ttl\\u005fseconds\":7,\"t\\u0079pe\":\"t\"",
            message: ""
        )
        #expect(request.ttlSeconds == 7)
        #expect(request.type == "t")
        #expect(payload(request)?["message"] as? String == "m")
    }

    @Test func escapesAreSplicedUnchanged() throws {
        let request = try parse(
            members:
                "\"message\":\"\\u0041\\/\\n\\ud83d\\ude00é\",\"title\":\"\\u0042\",\"source\":\"\\u0043\",\"type\":\"\\u0044\"",
            message: ""
        )
        #expect(request.content.common.text.contains("\"message\":\"\\u0041\\/\\n\\ud83d\\ude00é\""))
        #expect(request.content.common.text.contains("\"source\":\"\\u0043\""))
        #expect(request.content.optional.text == ",\"title\":\"\\u0042\",\"type\":\"\\u0044\"")
        #expect(request.type == "D")
        #expect(payload(request)?["message"] as? String == "A/\n😀é")
    }

    /// Some encoders escape the plus of an offset.
    @Test(arguments: ["2024-01-01T12:00:00\\u002B02:00", "2024-01-01T12\\u003a00:00+02:00"])
    func escapedTimes(text: String) throws {
        let request = try parse(members: "\"created_at\":\"\(text)\"")
        #expect(payload(request)?["created_at"] as? String == "2024-01-01T10:00:00Z")
    }

    @Test func emptyTextsThatMayBeEmpty() throws {
        let request = try parse(members: "\"source\":\"\",\"title\":\"\",\"data\":{}")
        #expect(payload(request)?["source"] as? String == "")
        #expect(payload(request)?["title"] as? String == "")
        #expect((payload(request)?["data"] as? NSDictionary)?.count == 0)
    }

    @Test func faultsOfSeveralMembersAreListed() {
        let found = pointers {
            try parse("{\"target\":[{}],\"priority\":1,\"message\":\"\",\"ttl_seconds\":0,\"created_at\":\"\"}")
        }
        #expect(found == ["/target/0/id", "/target/0/login", "/message", "/created_at", "/priority", "/ttl_seconds"])
    }
}
