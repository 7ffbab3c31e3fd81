import CarillonDomain
import Foundation
import NIOCore
import Testing

/// What devices of `notifications.v1+json` hear of each frame.
@Suite struct NotificationsV1Tests {
    private let entry = EntryReference(streamID: StreamID("1640995200000-7")!, notificationID: NotificationID("u"))
    private let now = Timestamp(milliseconds: 1_640_995_201_000)

    private func frames(_ write: (inout ByteBuffer) -> Void) -> [NSDictionary?] {
        written(write).withUnsafeReadableBytes { NotificationsV1.frames(for: $0, at: now) }.map(\.json)
    }

    private func status(_ name: String, _ id: String = "u") -> NSDictionary {
        [
            "type": "notificationStatus",
            "data": ["notificationId": id, "status": name, "timestamp": "2022-01-01T00:00:01Z"],
        ]
    }

    private func data(_ frames: [NSDictionary?]) -> NSDictionary? { frames.first??["data"] as? NSDictionary }

    /// What is said of a notification that was pushed with these members.
    private func pushed(members: String, of topic: Topic? = nil) throws -> NSDictionary? {
        let content = try parse(members: members).content
        return data(frames { ServerFrame.writePush(entry, content, .unread, of: topic, into: &$0) })
    }

    // MARK: - notification

    @Test func wholeNotification() throws {
        let content = try parse(
            members: """
                "created_at":"2021-12-31T23:59:59+00:00","source":"s","title":"t \\"1\\"","type":"order.shipped",\
                "channel":"orders","priority":"high","data":{"order":\n7},"collapse_key":"k","ttl_seconds":60
                """
        ).content
        let heard = frames { ServerFrame.writePush(entry, content, .unread, into: &$0) }
        let notification: NSDictionary = [
            "type": "notification",
            "data": [
                "id": "u", "type": "order.shipped", "title": "t \"1\"", "message": "hi", "channel": "orders",
                "priority": "high", "timestamp": "2021-12-31T23:59:59Z", "data": ["order": 7],
            ],
        ]
        #expect(heard == [notification, status("delivered")])
    }

    @Test func whatWasNotGiven() throws {
        let null = NSNull()
        #expect(
            try pushed(members: "\"created_at\":\"2021-12-31T00:00:00Z\"") == [
                "id": "u", "type": null, "title": null, "message": "hi", "channel": null, "priority": "medium",
                "timestamp": "2021-12-31T00:00:00Z", "data": null,
            ]
        )
    }

    /// Never later than the entry, whose time is 2022-01-01T00:00:00Z.
    @Test(arguments: [
        ("2021-12-31T23:59:59.9999Z", "2021-12-31T23:59:59.9999Z"), ("2022-01-01T00:00:00Z", "2022-01-01T00:00:00Z"),
        ("2022-01-01T00:00:00.001Z", "2022-01-01T00:00:00Z"), ("2030-01-01T00:00:00Z", "2022-01-01T00:00:00Z"),
    ])
    func time(created: String, told: String) throws {
        #expect(try pushed(members: "\"created_at\":\"\(created)\"")?["timestamp"] as? String == told)
    }

    @Test func foreignPayload() throws {
        let deep = String(repeating: "[", count: 62) + String(repeating: "]", count: 62)
        let payload = ByteBuffer(string: "{\"message\":7,\"created_at\":\"yesterday\",\"data\":{\"a\":\(deep)}}")
        let content = try #require(NotificationContent(payload: payload, streamID: entry.streamID))
        let told = data(frames { ServerFrame.writePush(entry, content, .unread, of: Topic("a\"b"), into: &$0) })
        #expect(told?["message"] as? String == "")
        #expect(told?["timestamp"] as? String == "2022-01-01T00:00:00Z")
        #expect(told?["channel"] as? String == "a\"b")
        #expect(told?["data"] is NSDictionary)
    }

    @Test func channelOfATopic() throws {
        #expect(try pushed(members: "\"channel\":\"news\"", of: .everybody)?["channel"] as? String == "news")
        #expect(try pushed(members: "\"source\":\"s\"", of: .everybody)?["channel"] is NSNull)
        #expect(try pushed(members: "\"source\":\"s\"", of: Topic("orders"))?["channel"] as? String == "orders")
    }

    @Test func deepest() throws {
        let depth = Limits.jsonDepth - 2
        let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(try pushed(members: "\"data\":{\"a\":\(deep)}")?["data"] is NSDictionary)
    }

    @Test func replayedStates() throws {
        let content = try parse(members: "\"source\":\"s\"").content
        let read = frames { ServerFrame.writePush(entry, content, .read, into: &$0) }
        #expect(read.map { $0?["type"] as? String } == ["notification", "notificationStatus"])
        #expect(read.last == status("read"))
        let expired = NotificationContent.expired(at: entry.streamID)
        #expect(
            frames { ServerFrame.writePush(entry, expired, .autoCleared, into: &$0) } == [status("auto_cleared")]
        )
    }

    // MARK: - notificationStatus

    @Test func readsAndClearings() {
        #expect(frames { ServerFrame.writeReadAck(entry, into: &$0) } == [status("read")])
        #expect(frames { ServerFrame.writeReadAck(entry, of: Topic("orders"), into: &$0) } == [status("read")])
        #expect(frames { ServerFrame.writeAutoCleared(entry, into: &$0) } == [status("auto_cleared")])
    }

    @Test(arguments: InboxAction.allCases)
    func changes(action: InboxAction) {
        let other = EntryReference(streamID: .max, notificationID: NotificationID("v\""))
        let change = InboxChange(action, [entry, other], until: action == .snooze ? 1 : nil)
        let heard = frames { ServerFrame.writeInboxChanged(change, unreadCount: 3, into: &$0) }
        let name: String? =
            switch action {
            case .unread: "delivered"
            case .delete: "deleted"
            case .withdraw, .collapse: "withdrawn"
            case .read, .seen, .archive, .unarchive, .snooze, .unsnooze, .count: nil
            }
        #expect(heard == (name.map { [status($0), status($0, "v\"")] } ?? []))
    }

    @Test func wholeInboxes() {
        let entries = (0..<InboxChange.largest).map {
            EntryReference(streamID: .max, notificationID: NotificationID("n\($0)"))
        }
        let heard = frames { ServerFrame.writeInboxChanged(InboxChange(.delete, entries), unreadCount: 0, into: &$0) }
        #expect(heard == entries.map { status("deleted", $0.notificationID.text) })
    }

    // MARK: - error

    @Test func errors() {
        let bare = ClientFrameError(.malformedJSON, "why \"x\"")
        #expect(
            frames { ServerFrame.writeError(bare, into: &$0) }
                == [["type": "error", "data": ["code": "malformed_json", "detail": "why \"x\""]]]
        )
        let typed = ClientFrameError(.unknownType, "why", type: "updatePreferences")
        #expect(
            frames { ServerFrame.writeError(typed, into: &$0) }
                == [["type": "error", "data": ["code": "unknown_type", "detail": "why", "type": "updatePreferences"]]]
        )
        let ofEntry = ClientFrameError(.notFound, "why", type: "notification.read", entry: entry, of: Topic("orders"))
        #expect(
            frames { ServerFrame.writeError(ofEntry, into: &$0) } == [
                [
                    "type": "error",
                    "data": ["code": "not_found", "detail": "why", "type": "ack", "notificationId": "u"],
                ]
            ]
        )
    }

    @Test func whatThereIsNoWordFor() {
        let ready = SessionReady(connectionID: "c", podID: "p", unreadCount: 0, lastStreamID: .zero, epoch: "e")
        #expect(frames { ready.write(into: &$0) }.isEmpty)
        #expect(frames { ServerFrame.writeSubscriptions(["orders"], into: &$0) }.isEmpty)
        #expect(frames { ServerFrame.writeRetentionAck(days: 1, into: &$0) }.isEmpty)
        #expect(frames { $0.writeString("{\"type\":\"sync.response\",\"data\":[]}") }.isEmpty)
    }
}
