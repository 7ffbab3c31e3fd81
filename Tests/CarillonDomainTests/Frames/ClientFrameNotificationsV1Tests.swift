import CarillonDomain
import NIOCore
import Testing

/// What devices of `notifications.v1+json` say.
@Suite struct ClientFrameNotificationsV1Tests {
    private static let number = User(id: .number(7), login: "alice")
    private static let text = User(id: .text("a-1"), login: "alice")

    private func frame(_ type: String, _ data: String, _ user: User = number) throws -> ClientFrame {
        let message = ByteBuffer(string: "{\"type\":\"\(type)\",\"data\":\(data)}")
        return try ClientFrame.parseNotificationsV1(message, from: user)
    }

    private func refusal(_ type: String, _ data: String, _ user: User = number) -> ClientFrameError? {
        #expect(throws: ClientFrameError.self) { try frame(type, data, user) }
    }

    private func channels(_ data: String, _ user: User = number) throws -> [String]? {
        guard case .subscribe(let topics) = try frame("subscribe", data, user) else { return nil }
        return topics.map(\.name)
    }

    private func since(_ value: String) throws -> String? {
        guard case .missed(let since) = try frame("requestMissedNotifications", "{\"since\":\(value)}") else {
            return nil
        }
        return since.text
    }

    // MARK: - The frame

    @Test(arguments: ["", "{", "[]", "\"subscribe\""])
    func malformed(text: String) {
        let error = #expect(throws: ClientFrameError.self) {
            try ClientFrame.parseNotificationsV1(ByteBuffer(string: text), from: Self.number)
        }
        #expect(error?.code == .malformedJSON)
    }

    @Test(arguments: [
        "updatePreferences", "notification.read", "sync.request", "retention.set", "Subscribe", "notification", "",
    ])
    func unknownTypes(type: String) {
        let error = refusal(type, "{}")
        #expect(error?.code == .unknownType)
        #expect(error?.type == type)
    }

    @Test func otherDevicesDoNotSpeakIt() {
        for type in ["ack", "requestMissedNotifications", "updatePreferences"] {
            let error = #expect(throws: ClientFrameError.self) {
                try ClientFrame.parse(ByteBuffer(string: "{\"type\":\"\(type)\",\"data\":{}}"))
            }
            #expect(error?.code == .unknownType)
        }
    }

    @Test(arguments: ["subscribe", "unsubscribe", "ack", "requestMissedNotifications"])
    func dataMustBeAnObject(type: String) {
        for data in ["null", "[]", "1", "\"a\""] {
            let error = refusal(type, data)
            #expect(error?.code == .invalidData)
            #expect(error?.type == type)
        }
        let bare = #expect(throws: ClientFrameError.self) {
            try ClientFrame.parseNotificationsV1(ByteBuffer(string: "{\"type\":\"\(type)\"}"), from: Self.number)
        }
        #expect(bare?.code == .invalidData)
    }

    // MARK: - subscribe, unsubscribe

    @Test func subscribing() throws {
        #expect(
            try channels("{\"userId\":7,\"channels\":[\"orders\",\"messages\",\"orders\"]}") == ["orders", "messages"]
        )
        guard case .unsubscribe(let topics) = try frame("unsubscribe", "{\"channels\":[\"orders\"]}") else {
            Issue.record("not unsubscribe")
            return
        }
        #expect(topics.map(\.name) == ["orders"])
    }

    @Test(arguments: ["{}", "{\"channels\":null}", "{\"channels\":[]}", "{\"userId\":null}", "{\"userId\":\"7\"}"])
    func noChannels(data: String) throws {
        #expect(try channels(data) == [])
    }

    @Test(arguments: ["8", "-7", "7.0", "7e0", "\"07\"", "\"\"", "\"alice\"", "true", "[7]", "{}"])
    func otherUsers(id: String) {
        #expect(refusal("subscribe", "{\"userId\":\(id),\"channels\":[\"orders\"]}")?.code == .invalidData)
        #expect(refusal("unsubscribe", "{\"userId\":\(id),\"channels\":[\"orders\"]}")?.code == .invalidData)
    }

    @Test func textIDs() throws {
        #expect(try channels("{\"userId\":\"a\\u002d1\"}", Self.text) == [])
        for id in ["\"a-2\"", "\"A-1\"", "1", "7"] {
            #expect(refusal("subscribe", "{\"userId\":\(id)}", Self.text)?.code == .invalidData)
        }
    }

    @Test func manyChannels() throws {
        func data(_ count: Int) -> String {
            "{\"channels\":[\((0..<count).map { "\"c\($0)\"" }.joined(separator: ","))]}"
        }
        #expect(try channels(data(Limits.channelsPerFrame))?.count == Limits.channelsPerFrame)
        #expect(refusal("subscribe", data(Limits.channelsPerFrame + 1))?.code == .invalidData)
    }

    @Test(arguments: ["\"orders\"", "{}", "1", "[1]", "[\"\"]", "[\"a b\"]", "[\"a@b\"]", "[null]"])
    func wrongChannels(value: String) {
        #expect(refusal("subscribe", "{\"channels\":\(value)}")?.code == .invalidData)
    }

    // MARK: - ack

    @Test func acknowledging() throws {
        let longest = String(repeating: "é", count: Limits.notificationIDBytes / 2)
        for id in ["n", longest] {
            guard case .acknowledge(let acknowledged) = try frame("ack", "{\"notificationId\":\"\(id)\"}") else {
                Issue.record("not ack")
                return
            }
            #expect(acknowledged.text == id)
        }
        for value in ["\"\"", "\"\(longest)x\"", "1", "null", "[]"] {
            #expect(refusal("ack", "{\"notificationId\":\(value)}")?.code == .invalidData)
        }
        #expect(refusal("ack", "{\"notification_id\":\"n\"}")?.code == .invalidData)
    }

    // MARK: - requestMissedNotifications

    /// Of a time, what came in its very millisecond comes too.
    @Test(arguments: [
        ("1640995200000", "1640995199999-18446744073709551615"),
        ("\"1640995200000\"", "1640995199999-18446744073709551615"),
        ("\"2022-01-01T00:00:00Z\"", "1640995199999-18446744073709551615"),
        ("\"2022-01-01T01:00:00.0009+01:00\"", "1640995199999-18446744073709551615"),
        ("\"1969-12-31T00:00:00Z\"", "0-0"), ("0", "0-0"), ("null", "0-0"),
        ("9223372036854775807", "9223372036854775806-18446744073709551615"),
        ("\"1640995200000-7\"", "1640995200000-7"),
        ("\"1640995200000-7,1640995200001-0@orders,3-1@\"", "3-1@,1640995200000-7,1640995200001-0@orders"),
    ])
    func positions(value: String, position: String) throws {
        #expect(try since(value) == position)
    }

    @Test func withoutSince() throws {
        guard case .missed(let since) = try frame("requestMissedNotifications", "{}") else {
            Issue.record("not requestMissedNotifications")
            return
        }
        #expect(since.text == "0-0")
    }

    @Test(arguments: [
        "\"\"", "\"yesterday\"", "\"2022-01-01\"", "\"2022-01-01T00:00:00\"", "-1", "1.5", "1e3", "true", "[]", "{}",
        "9223372036854775808", "\"1-0,2-0\"", "\"1-0@a b\"",
    ])
    func wrongPositions(value: String) {
        let error = refusal("requestMissedNotifications", "{\"since\":\(value)}")
        #expect(error?.code == .invalidData)
        #expect(error?.type == "requestMissedNotifications")
    }
}
