import CarillonDomain
import Foundation
import NIOCore
import Testing

/// Payloads as they are stored, and what devices are shown of them.
@Suite struct NotificationContentTests {
    private let id = StreamID("1704110400010-0")!

    private func shown(_ payload: String) -> NSDictionary? {
        guard let content = NotificationContent(payload: ByteBuffer(string: payload), streamID: id) else { return nil }
        let entry = EntryReference(streamID: id, notificationID: NotificationID("n"))
        return written { ServerFrame.writeEntry(entry, content, .unread, into: &$0) }.json
    }

    /// What a payload shows beside the members that come from the stream.
    private func members(_ payload: String) -> NSDictionary? {
        guard let shown = shown(payload)?.mutableCopy() as? NSMutableDictionary else { return nil }
        shown.removeObjects(forKeys: ["notification_id", "stream_id", "status", "read"])
        return shown
    }

    @Test func ownPayloadsComeBackAsTheyWere() throws {
        let request = try parse(
            members: """
                "message":"\\u0041é\\n","source":"\\u0073","created_at":"2024-01-01T12:00:00Z","title":"t","type":"y",
                "channel":"c","priority":"urgent","data":{"a" : [ 1 ]},"ttl_seconds":9
                """
        )
        let payload = written {
            request.content.writePayload(id: NotificationID("n"), target: request.targets[0], into: &$0)
        }
        let read = try #require(NotificationContent(payload: payload, streamID: .zero))
        #expect(read.common == request.content.common)
        #expect(read.optional == request.content.optional)
    }

    @Test(arguments: [.number(5), .text("a\"b-é")] as [UserID])
    func theTargetIsTheUser(id: UserID) throws {
        let content = try parse(members: "").content
        let user = User(id: id, login: "a.b")
        let target = written { content.writePayload(id: NotificationID("n"), target: user, into: &$0) }.json?["target"]
        let expected: NSDictionary =
            switch id {
            case .number(let number): ["id": number, "login": "a.b"]
            case .text(let text): ["id": text, "login": "a.b"]
            }
        #expect(target as? NSDictionary == expected)
    }

    @Test(arguments: ["{}", " {\"message\":1,\"created_at\":2,\"source\":null} ", "{\"message\":[],\"source\":{}}"])
    func missingMembersAndWrongTypes(payload: String) {
        #expect(members(payload) == ["message": "", "created_at": "2024-01-01T12:00:00.010Z", "source": ""])
    }

    @Test func optionalMembersOfTheWrongTypeAreLeftOut() {
        let wrong = "{\"title\":1,\"type\":null,\"channel\":{},\"priority\":[],\"data\":\"x\",\"ttl_seconds\":\"9\"}"
        #expect(members(wrong)?.count == 3)
        let right =
            "{\"title\":\"1\",\"type\":\"2\",\"channel\":\"3\",\"priority\":\"4\",\"data\":{},\"ttl_seconds\":9}"
        #expect(members(right)?.count == 9)
    }

    @Test func otherMembersAreNotShown() {
        let payload =
            "{\"status\":\"read\",\"read\":true,\"stream_id\":\"9-9\",\"notification_id\":\"x\",\"target\":{},\"more\":1}"
        let shown = shown(payload)
        #expect(shown?["status"] as? String == "unread")
        #expect(shown?["read"] as? Bool == false)
        #expect(shown?["stream_id"] as? String == id.text)
        #expect(shown?["notification_id"] as? String == "n")
        #expect(shown?.count == 7)
    }

    @Test func theLastOfTwoMembersIsShownAlone() throws {
        let payload =
            "{\"message\":\"a\",\"title\":\"b\",\"data\":{\"x\":1},\"message\":\"c\",\"title\":\"d\",\"data\":{\"y\":2}}"
        let content = try #require(NotificationContent(payload: ByteBuffer(string: payload), streamID: id))
        #expect(content.optional.text == ",\"title\":\"d\",\"data\":{\"y\":2}")
        #expect(content.common.text.hasPrefix("\"message\":\"c\","))
    }

    @Test func escapedNamesAndTexts() throws {
        let payload = "{\"m\\u0065ssage\":\"\\u0061\\/\\ud83d\\ude00\",\"titl\\u0065\":\"\\u0062\"}"
        let content = try #require(NotificationContent(payload: ByteBuffer(string: payload), streamID: id))
        #expect(content.common.text.hasPrefix("\"message\":\"\\u0061\\/\\ud83d\\ude00\","))
        #expect(content.optional.text == ",\"title\":\"\\u0062\"")
    }

    @Test(arguments: [
        "", " ", "[]", "\"message\"", "null", "{", "{\"message\":\"a\"", "{\"message\":\"a\"}x",
        "{\"message\":\"\\x\"}",
    ])
    func whatIsNoObject(payload: String) {
        #expect(NotificationContent(payload: ByteBuffer(string: payload), streamID: id) == nil)
    }

    @Test func illFormedUTF8IsNoPayload() {
        let payload = ByteBuffer(bytes: Array("{\"message\":\"".utf8) + [0xff] + Array("\"}".utf8))
        #expect(NotificationContent(payload: payload, streamID: id) == nil)
    }

    @Test func expiredOnesShowTheTimeOfTheirEntry() {
        let entry = EntryReference(streamID: id, notificationID: NotificationID("n"))
        let shown = written { ServerFrame.writeEntry(entry, .expired(at: id), .autoCleared, into: &$0) }.json
        #expect(
            shown == [
                "notification_id": "n", "stream_id": id.text, "message": "", "created_at": "2024-01-01T12:00:00.010Z",
                "source": "", "status": "auto_cleared", "read": false,
            ]
        )
    }
}
