import CarillonDomain
import NIOCore
import Testing

@testable import CarillonRealtime

@Suite("Frames as events")
struct EventStreamFrameTests {
    private func event(_ json: String, id: StreamID? = nil) -> String {
        var frame = DeviceFrame(id: id) { $0.writeString(json) }
        return String(buffer: frame.eventStream())
    }

    @Test("type, id and data each have their line")
    func lines() {
        let json = "{\"type\":\"notification.push\",\"data\":{\"message\":\"a \\\"b\\\"\"}}"
        let data = "data: {\"message\":\"a \\\"b\\\"\"}\n\n"
        #expect(event(json) == "event: notification.push\n" + data)
        let id = StreamID(milliseconds: 1_640_995_200_000, sequence: 7)
        #expect(event(json, id: id) == "event: notification.push\nid: 1640995200000-7\n" + data)
    }

    /// The three forms of a frame's header, below, at and above the lengths where they change.
    @Test("data of any length", arguments: [0, 125, 126, 127, 65_535, 65_536, 65_537])
    func lengths(bytes: Int) {
        let shell = "{\"type\":\"t\",\"data\":\"\"}"
        let text = String(repeating: "x", count: max(0, bytes - shell.utf8.count))
        let json = "{\"type\":\"t\",\"data\":\"\(text)\"}"
        #expect(event(json) == "event: t\ndata: \"\(text)\"\n\n")
    }

    @Test("line ends between the tokens of a sender's data become blanks")
    func oneLine() {
        let json = "{\"type\":\"t\",\"data\":{\n\"a\":\r\n1,\r\"b\":\"\\n\"}}"
        #expect(event(json) == "event: t\ndata: { \"a\":  1, \"b\":\"\\n\"}\n\n")
    }

    @Test("what the server says fits: every kind of frame")
    func serverFrames() {
        let entry = EntryReference(
            streamID: StreamID(milliseconds: 1, sequence: 0),
            notificationID: NotificationID("n")
        )
        let pair = "{\"notification_id\":\"n\",\"stream_id\":\"1-0\"}"
        var read = DeviceFrame { CarillonDomain.ServerFrame.writeReadAck(entry, into: &$0) }
        #expect(String(buffer: read.eventStream()) == "event: notification.read.ack\ndata: \(pair)\n\n")
        var cleared = DeviceFrame { CarillonDomain.ServerFrame.writeAutoCleared(entry, into: &$0) }
        #expect(String(buffer: cleared.eventStream()) == "event: notification.auto_cleared\ndata: \(pair)\n\n")
    }

    @Test("made once, however many streams there are")
    func shared() {
        var frame = DeviceFrame { $0.writeString("{\"type\":\"t\",\"data\":1}") }
        let (first, second) = (frame.eventStream(), frame.eventStream())
        let addresses = [first, second].map { $0.withUnsafeReadableBytes { $0.baseAddress } }
        #expect(addresses[0] == addresses[1])
    }

    @Test("hints and farewells")
    func words() {
        #expect(String(buffer: EventStreamFrame.heartbeat) == ":\n\n")
        #expect(String(buffer: EventStreamFrame.retry(412)) == "retry: 412\n\n")
        let end = "event: session.end\nid:\ndata: {\"code\":1012,\"reason\":\"resync needed\"}\n\n"
        #expect(String(buffer: EventStreamFrame.resync) == end)
    }
}
