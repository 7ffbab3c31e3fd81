import CarillonDomain
import Foundation
import NIOCore
import Testing

/// All members of a notify request but `target`.
@Suite struct NotifyRequestTests {
    @Test func theDocumentedRequest() throws {
        let request = try parse(
            """
            {"target":[{"id":1,"login":"alice"},{"id":2,"login":"bob"}],"message":"Your order has been shipped",
             "created_at":"2024-01-01T12:00:00Z","source":"order-service"}
            """
        )
        #expect(request.targets.map(\.key.text) == ["1-alice", "2-bob"])
        #expect(request.ttlSeconds == nil)
        #expect(request.type == nil)
        #expect(
            payload(request) == [
                "notification_id": "n", "message": "Your order has been shipped", "created_at": "2024-01-01T12:00:00Z",
                "source": "order-service", "target": ["id": 1, "login": "alice"],
            ]
        )
    }

    @Test func everyOptionalMember() throws {
        let request = try parse(
            members: """
                "title":"T","type":"order.shipped","channel":"orders","priority":"high","data":{"a":[1,{"b":null}]},
                "ttl_seconds":60,"source":"s","created_at":"2024-06-01T00:00:00+02:00","unknown":[1]
                """
        )
        #expect(request.ttlSeconds == 60)
        #expect(request.type == "order.shipped")
        #expect(
            payload(request) == [
                "notification_id": "n", "message": "hi", "created_at": "2024-05-31T22:00:00Z", "source": "s",
                "target": ["id": 1, "login": "alice"], "title": "T", "type": "order.shipped", "channel": "orders",
                "priority": "high", "data": ["a": [1, ["b": NSNull()]]], "ttl_seconds": 60,
            ]
        )
    }

    @Test func withoutATimeItIsNow() throws {
        let before = Timestamp.now().text
        let time = try #require(payload(try parse(members: ""))?["created_at"] as? String)
        #expect((before...Timestamp.now().text).contains(time))
    }

    @Test(arguments: ["", "{", "{\"target\":[}", "{\"message\":\"\\x\"}", "{} {}", "{\"a\":\"\u{1}\"}", "nul"])
    func malformed(body: String) {
        let problem = #expect(throws: Problem.self) { try parse(body) }
        #expect(problem?.status == 400)
        #expect(problem?.code == "malformed_json")
    }

    @Test(arguments: ["[]", "1", "\"a\"", "null", "true"])
    func noObject(body: String) {
        #expect(pointers { try parse(body) }?.first == "")
    }

    @Test func everyTruncationIsMalformed() {
        let body = Array("{\"target\":[{\"id\":1,\"login\":\"a\"}],\"message\":\"é\\u00e9\",\"data\":{\"a\":[1]}}".utf8)
        for length in 0..<body.count {
            let problem = #expect(throws: Problem.self) {
                try NotifyRequest.parse(ByteBuffer(bytes: body[..<length]), limits: NotifyLimits())
            }
            #expect(problem?.status == 400, "\(length) bytes")
        }
    }

    @Test(arguments: [
        "null", "1", "true", "[]", "{}", "\"\"",
    ])
    func wrongMessages(value: String) {
        #expect(pointers { try parse(members: "\"message\":\(value)", message: "") } == ["/message"])
    }

    @Test(arguments: [
        ("source", ["null", "1", "{}", "[]", "false"]), ("title", ["null", "1", "{}"]),
        ("type", ["null", "1", "\"\"", "[]"]),
        ("channel", ["null", "1", "\"\""]), ("priority", ["null", "1", "\"\"", "\"Low\"", "\"highest\"", "[]"]),
        ("data", ["null", "1", "\"{}\"", "[]"]),
        ("ttl_seconds", ["null", "\"60\"", "60.0", "6e1", "-1", "true", "{}"]),
        ("created_at", ["null", "1704110400", "\"\"", "\"2024-01-01\"", "\"yesterday\"", "{}"]),
        ("event_type", ["null", "1"]),
        ("notification_type", ["null", "\"\""]), ("metadata", ["null", "[]", "\"\""]),
    ])
    func wrongTypes(member: String, values: [String]) {
        for value in values {
            #expect(pointers { try parse(members: "\"\(member)\":\(value)") } == ["/\(member)"], "\(value)")
        }
    }

    @Test(arguments: [
        ("source", 128, 0), ("title", 1_024, 0), ("type", 128, 1), ("channel", 128, 1), ("event_type", 128, 1),
    ])
    func lengths(member: String, most: Int, least: Int) {
        for (length, isValid) in [(0, least == 0), (1, true), (most - 1, true), (most, true), (most + 1, false)] {
            let value = String(repeating: "a", count: length)
            let expected = isValid ? [] : ["/\(member)"]
            #expect(pointers { try parse(members: "\"\(member)\":\"\(value)\"") } == expected, "\(length)")
            // What counts is what the text is, not how it is escaped.
            let escaped = String(repeating: "\\u0061", count: length)
            #expect(pointers { try parse(members: "\"\(member)\":\"\(escaped)\"") } == expected, "\(length) escaped")
        }
    }

    @Test(arguments: [(1, true), (9, true), (10, true), (11, false)])
    func lengthOfMessages(length: Int, isValid: Bool) {
        var limits = NotifyLimits()
        limits.messageBytes = 10
        for character in ["a", "\\u0061"] {
            let text = String(repeating: character, count: length)
            let body = "{\"target\":[{\"id\":1,\"login\":\"a\"}],\"message\":\"\(text)\"}"
            #expect(pointers { try parse(body, limits) } == (isValid ? [] : ["/message"]))
        }
        let emoji = "{\"target\":[{\"id\":1,\"login\":\"a\"}],\"message\":\"\\ud83d\\ude00😀abc\"}"
        #expect(pointers { try parse(emoji, limits) } == ["/message"])
    }

    @Test func theDefaultLengthOfMessages() {
        for (length, expected) in [(262_144, []), (262_145, ["/message"])] {
            let text = String(repeating: "a", count: length)
            #expect(pointers { try parse(members: "\"message\":\"\(text)\"", message: "") } == expected)
        }
    }

    @Test(arguments: [(262_143, true), (262_144, true), (262_145, false)])
    func sizeOfData(size: Int, isValid: Bool) {
        let data = "{\"a\":\"\(String(repeating: "x", count: size - 8))\"}"
        for member in ["data", "metadata", "content"] {
            #expect(pointers { try parse(members: "\"\(member)\":\(data)") } == (isValid ? [] : ["/\(member)"]))
        }
    }

    @Test(arguments: [("0", false), ("1", true), ("2", true), ("1295999", true), ("1296000", true), ("1296001", false)])
    func lives(seconds: String, isValid: Bool) {
        #expect(pointers { try parse(members: "\"ttl_seconds\":\(seconds)") } == (isValid ? [] : ["/ttl_seconds"]))
        #expect((try? parse(members: "\"ttl_seconds\":\(seconds)"))?.ttlSeconds == (isValid ? Int(seconds) : nil))
    }

    @Test(arguments: ["low", "medium", "high", "urgent", "\\u006cow"])
    func priorities(word: String) {
        #expect(pointers { try parse(members: "\"priority\":\"\(word)\"") } == [])
    }

    @Test func depth() {
        func data(_ depth: Int) -> String {
            String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        }
        // The body itself is one level.
        #expect(pointers { try parse(members: "\"data\":\(data(63))") } == [])
        #expect(throws: Problem.self) { try parse(members: "\"data\":\(data(64))") }
        #expect(pointers { try parse(members: "\"data\":\(data(64))") } == nil)
    }
}
