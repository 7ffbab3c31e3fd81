import CarillonDomain
import NIOCore
import NIOEmbedded
import Testing

@testable import CarillonRealtime

@Suite("Subprotocol of a WebSocket")
struct SubprotocolTests {
    private static let name = "notifications.v1+json"
    private static let chosen = "Sec-WebSocket-Protocol: \(name)\r\n"

    /// A handshake with these values of Sec-WebSocket-Protocol, each in a line of its own.
    private func handshake(_ offers: [String]) throws -> (harness: Harness, response: String) {
        let lines = offers.map { "x\r\nSec-WebSocket-Protocol: \($0)" }.joined(separator: "\r\nX: ")
        let harness = try Harness()
        try harness.receive(Array(Upgrade.request(replacing: ["Origin": [lines]]).utf8))
        return (harness, String(decoding: try harness.sent(), as: UTF8.self))
    }

    @Test(
        "is chosen where it is among those offered, and alone is named",
        arguments: [
            [name], ["chat, \(name)"], ["\(name) ,chat"], ["chat,\t\(name)\t,superchat"], ["chat", name],
            [name, "chat"], [name, name], ["\(name),\(name)"], [",\(name),"],
        ]
    )
    func chosen(offers: [String]) throws {
        let (harness, response) = try handshake(offers)
        #expect(harness.connection.subprotocol == .notificationsV1)
        #expect(response == Upgrade.response.dropLast() + Self.chosen + "\r\n")
    }

    @Test(
        "none is chosen where it is not",
        arguments: [
            ["chat"], ["Notifications.v1+json"], ["NOTIFICATIONS.V1+JSON"], ["notifications.v1"], ["\(name)x"],
            ["x\(name)"], ["notifications.v2+json"], [""], ["notifications.v1 json"], ["chat", "superchat"],
        ]
    )
    func notChosen(offers: [String]) throws {
        let (harness, response) = try handshake(offers)
        #expect(harness.connection.subprotocol == nil)
        #expect(response == Upgrade.response)
    }

    @Test("a refusal names none")
    func refusal() throws {
        let harness = try Harness()
        harness.acceptor.problem = .redisAway()
        let offer = ["Origin": ["x\r\nSec-WebSocket-Protocol: \(Self.name)"]]
        try harness.receive(Array(Upgrade.request(replacing: offer).utf8))
        let response = String(decoding: try harness.sent(), as: UTF8.self)
        #expect(response.hasPrefix("HTTP/1.1 503 "))
        #expect(!response.contains("Sec-WebSocket-Protocol"))
    }

    private let entry = EntryReference(streamID: StreamID("7-0")!, notificationID: NotificationID("n"))

    @Test("each device hears a frame in its own words")
    func words() throws {
        let (with, without) = (try handshake([Self.name]).harness, try handshake(["chat"]).harness)
        var frame = DeviceFrame { CarillonDomain.ServerFrame.writeReadAck(entry, into: &$0) }
        for harness in [with, without] {
            harness.connection.send(&frame)
            harness.loop.run()
        }
        #expect(
            try without.sentFrames().map(\.text)
                == ["{\"type\":\"notification.read.ack\",\"data\":{\"notification_id\":\"n\",\"stream_id\":\"7-0\"}}"]
        )
        let heard = try with.sentFrames().map(\.text)
        #expect(heard.count == 1)
        #expect(heard.first?.hasPrefix("{\"type\":\"notificationStatus\",\"data\":{\"notificationId\":\"n\",") == true)
    }

    @Test("what there is no word for is no bytes, and the session may go on")
    func nothing() throws {
        let harness = try handshake([Self.name]).harness
        harness.wire.writes = 0
        var frame = DeviceFrame { CarillonDomain.ServerFrame.writeSubscriptions([], into: &$0) }
        harness.connection.send(&frame)
        harness.loop.run()
        #expect(harness.session.drainedCount == 0)
        harness.connection.sendBulk(frame)
        harness.loop.run()
        #expect(harness.session.drainedCount == 1)
        #expect(harness.wire.writes == 0)
    }

    /// The three forms of a frame's header, below, at and above the lengths where they change.
    @Test("texts of any length", arguments: [0, 60, 125, 126, 127, 65_000, 65_535, 65_536, 65_537, 200_000])
    func lengths(bytes: Int) throws {
        let message = String(repeating: "x", count: bytes)
        var common = ByteBuffer()
        common.writeString("\"message\":\"\(message)\",\"created_at\":\"2024-01-01T12:00:00Z\",\"source\":\"\"")
        let content = NotificationContent(common: common, optional: ByteBuffer())
        var frame = DeviceFrame { CarillonDomain.ServerFrame.writePush(entry, content, .unread, into: &$0) }
        let frames = ServerFrame.all(Array(frame.notificationsV1().readableBytesView))
        #expect(frames.count == 2)
        #expect(frames[0].text.contains("\"message\":\"\(message)\","))
        #expect(frames[1].text.contains("\"status\":\"delivered\""))
    }

    @Test("made once, however many devices there are")
    func shared() {
        var frame = DeviceFrame { CarillonDomain.ServerFrame.writeReadAck(entry, into: &$0) }
        let addresses = [frame.notificationsV1(), frame.notificationsV1()].map {
            $0.withUnsafeReadableBytes { $0.baseAddress }
        }
        #expect(addresses[0] == addresses[1])
    }
}
