import NIOCore
import Testing

@testable import CarillonRealtime

@Suite("Writing frames")
struct WebSocketFrameTests {
    @Test(
        "uses the shortest length at, under and over each bound",
        arguments: [
            (0, [0x81, 0]), (1, [0x81, 1]), (125, [0x81, 125]), (126, [0x81, 126, 0, 126]), (127, [0x81, 126, 0, 127]),
            (65_535, [0x81, 126, 0xff, 0xff]), (65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
            (65_537, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 1]),
        ] as [(Int, [UInt8])]
    )
    func shortestLength(count: Int, header: [UInt8]) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let frame = WebSocketFrame.text { $0.writeBytes(payload) }
        #expect(Array(frame.readableBytesView) == header + payload)
    }

    @Test("appends frames of all sizes behind one another")
    func appends() {
        let texts = [3, 70_000, 0, 200, 125, 126].map { String(repeating: "x", count: $0) }
        var page = ByteBuffer(string: "before")
        page.moveReaderIndex(forwardBy: 6)
        let shared = page
        for text in texts { WebSocketFrame.appendText(to: &page) { $0.writeString(text) } }
        #expect(ServerFrame.all(Array(page.readableBytesView)).map(\.text) == texts)
        #expect(shared.readableBytes == 0)
    }

    @Test("cuts a close reason at 123 bytes, between two characters", arguments: [(122, 122), (123, 123), (124, 123)])
    func closeReason(bytes: Int, kept: Int) {
        let close = WebSocketFrame.close(.goingAway, reason: String(repeating: "r", count: bytes))
        #expect(
            Array(close.readableBytesView) == [0x88, UInt8(kept + 2), 3, 0xe9] + Array(repeating: 0x72, count: kept)
        )
        let wide = WebSocketFrame.close(.goingAway, reason: String(repeating: "é", count: 100))
        #expect(ServerFrame.all(Array(wide.readableBytesView))[0].payload.count == 2 + 122)
    }

    @Test("writes control frames")
    func controlFrames() {
        #expect(Array(WebSocketFrame.ping.readableBytesView) == [0x89, 0])
        #expect(Array(WebSocketFrame.pong(ByteBuffer(string: "abc")).readableBytesView) == [0x8a, 3, 0x61, 0x62, 0x63])
        #expect(Array(WebSocketFrame.close(nil).readableBytesView) == [0x88, 0])
    }
}
