import CarillonDomain
import Foundation
import NIOCore
import Testing

@Suite struct ServerFrameTests {
    private let entry = EntryReference(streamID: StreamID("1640995200000-7")!, notificationID: NotificationID("u"))

    @Test(
        arguments: [(.unread, "unread", false), (.read, "read", true), (.autoCleared, "auto_cleared", false)]
            as [(EntryStatus, String, Bool)]
    )
    func push(status: EntryStatus, name: String, isRead: Bool) throws {
        let content = try parse(members: "\"created_at\":\"2024-01-01T12:00:00Z\",\"source\":\"s\",\"title\":\"t\"")
            .content
        let frame = written { ServerFrame.writePush(entry, content, status, into: &$0) }.json
        #expect(
            frame == [
                "type": "notification.push",
                "data": [
                    "notification_id": "u", "stream_id": "1640995200000-7", "message": "hi", "status": name,
                    "read": isRead,
                    "created_at": "2024-01-01T12:00:00Z", "source": "s", "title": "t",
                ],
            ]
        )
    }

    @Test func acknowledgements() {
        let data = ["notification_id": "u", "stream_id": "1640995200000-7"]
        #expect(
            written { ServerFrame.writeReadAck(entry, into: &$0) }.json == [
                "type": "notification.read.ack", "data": data,
            ]
        )
        #expect(
            written { ServerFrame.writeAutoCleared(entry, into: &$0) }.json
                == ["type": "notification.auto_cleared", "data": data]
        )
        #expect(
            written { ServerFrame.writeRetentionAck(days: 15, into: &$0) }.json
                == ["type": "retention.set.ack", "data": ["days": 15]]
        )
    }

    @Test func idsOfOtherProgramsAreQuoted() {
        let odd = EntryReference(streamID: .max, notificationID: NotificationID("a\"\\\n\u{1}é"))
        let data = written { ServerFrame.writeReadAck(odd, into: &$0) }.json?["data"] as? NSDictionary
        #expect(data?["notification_id"] as? String == "a\"\\\n\u{1}é")
        #expect(data?["stream_id"] as? String == "18446744073709551615-18446744073709551615")
    }

    @Test(
        arguments: [
            (.malformedJSON, "malformed_json"), (.unknownType, "unknown_type"), (.invalidData, "invalid_data"),
            (.notFound, "not_found"), (.gone, "gone"), (.unavailable, "unavailable"),
        ] as [(ClientFrameError.Code, String)]
    )
    func errors(code: ClientFrameError.Code, name: String) {
        let bare = written { ServerFrame.writeError(ClientFrameError(code, "why \"x\""), into: &$0) }.json
        #expect(bare == ["type": "error", "data": ["code": name, "detail": "why \"x\""]])
        let whole = ClientFrameError(code, "why", type: "a\"b", entry: entry)
        #expect(
            written { ServerFrame.writeError(whole, into: &$0) }.json == [
                "type": "error",
                "data": [
                    "code": name, "detail": "why", "type": "a\"b", "notification_id": "u",
                    "stream_id": "1640995200000-7",
                ],
            ]
        )
    }

    @Test func ready() {
        let ready = SessionReady(
            connectionID: "c-1",
            podID: "pod \"1\"",
            unreadCount: 3,
            lastStreamID: entry.streamID,
            epoch: "abc"
        )
        let frame = written { ready.write(into: &$0) }.json
        let data = (frame?["data"] as? NSDictionary)?.mutableCopy() as? NSMutableDictionary
        let time = data?["server_time"] as? String
        data?.removeObject(forKey: "server_time")
        #expect(frame?["type"] as? String == "session.ready")
        #expect(
            data == [
                "connection_id": "c-1", "pod_id": "pod \"1\"", "unread_count": 3, "last_stream_id": "1640995200000-7",
                "epoch": "abc", "protocol": 1,
            ]
        )
        #expect(time.flatMap { Timestamp(rfc3339: $0)?.text } == time)
    }
}
