import CarillonTestSupport
import Testing

/// RFC 6455, byte by byte.
@Suite("Framing", .pod())
struct FramingTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// A client that has heard `session.ready`.
    private func client() async throws -> WireClient { try await pod.device(TestUser()).client }

    private static let sync = Array("{\"type\":\"sync.request\",\"data\":{\"limit\":1}}".utf8)

    /// A valid message of exactly so many bytes.
    private static func message(_ count: Int) -> [UInt8] {
        let front = Array("{\"type\":\"sync.request\",\"data\":{\"limit\":1},\"pad\":\"".utf8)
        return front + Array(repeating: UInt8(ascii: "p"), count: count - front.count - 2) + Array("\"}".utf8)
    }

    private func expectClose(_ code: Int, after bytes: [UInt8]) async throws {
        let client = try await client()
        try await client.send(bytes: bytes)
        #expect(try await client.closing().code == code)
        #expect(try await client.http.closes())
    }

    static let violations: [(String, [UInt8])] = [
        ("unmasked text", WireFrame(1, sync).bytes(masked: false)),
        ("unmasked ping", WireFrame(9, []).bytes(masked: false)),
        ("RSV1", WireFrame(1, sync, reserved: 4).bytes()),
        ("RSV2", WireFrame(1, sync, reserved: 2).bytes()),
        ("RSV3", WireFrame(1, sync, reserved: 1).bytes()),
        ("opcode 3", WireFrame(3, sync).bytes()),
        ("opcode 7", WireFrame(7, []).bytes()),
        ("opcode 11", WireFrame(11, []).bytes()),
        ("opcode 15", WireFrame(15, []).bytes()),
        ("continuation of nothing", WireFrame(0, sync).bytes()),
        ("text inside a fragmented text", WireFrame(1, [0x7b], isFinal: false).bytes() + WireFrame(1, sync).bytes()),
        ("fragmented ping", WireFrame(9, [], isFinal: false).bytes()),
        ("ping of 126 bytes", WireFrame(9, Array(repeating: 1, count: 126)).bytes()),
        ("fragmented close", WireFrame(8, [0x03, 0xe8], isFinal: false).bytes()),
        ("close of one byte", WireFrame(8, [0x03]).bytes()),
        ("close with 999", WireFrame(8, [0x03, 0xe7]).bytes()),
        ("close with 1004", WireFrame(8, [0x03, 0xec]).bytes()),
        ("close with 1005", WireFrame(8, [0x03, 0xed]).bytes()),
        ("close with 1006", WireFrame(8, [0x03, 0xee]).bytes()),
        ("close with 1015", WireFrame(8, [0x03, 0xf7]).bytes()),
        ("close with 5000", WireFrame(8, [0x13, 0x88]).bytes()),
    ]

    @Test("violations are closed with 1002", arguments: violations.indices)
    func violation(index: Int) async throws {
        try await expectClose(1002, after: Self.violations[index].1)
    }

    static let notUTF8: [[UInt8]] = [
        [0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80],
        [0xf8, 0x80, 0x80, 0x80, 0x80],
    ]

    @Test("text that is not UTF-8 is closed with 1007", arguments: notUTF8)
    func badText(bytes: [UInt8]) async throws {
        try await expectClose(1007, after: WireFrame(1, Array("\"a".utf8) + bytes + Array("\"".utf8)).bytes())
        try await expectClose(1007, after: WireFrame(1, bytes, isFinal: false).bytes() + WireFrame(0, [0x22]).bytes())
        try await expectClose(1007, after: WireFrame(8, [0x03, 0xe8] + bytes).bytes())
    }

    @Test("a character split between fragments is whole")
    func splitCharacter() async throws {
        let client = try await client()
        let message = Array("{\"type\":\"sync.request\",\"data\":{\"limit\":1},\"x\":\"\u{1f600}é\"}".utf8)
        for cut in 0...message.count {
            try await client.send(WireFrame(1, message[..<cut], isFinal: false))
            try await client.send(WireFrame(0, message[cut...]))
            try await client.expect("sync.response")
        }
    }

    @Test("a message may come in many fragments, empty ones too, with pings between")
    func fragments() async throws {
        let client = try await client()
        try await client.send(WireFrame(1, [], isFinal: false))
        for (index, byte) in Self.sync.enumerated() {
            try await client.send(WireFrame(0, [byte], isFinal: false))
            if index % 10 == 5 {
                try await client.send(WireFrame(9, [UInt8(index)]))
                #expect(try await client.frameButPing() == WireFrame(10, [UInt8(index)]))
            }
        }
        try await client.send(WireFrame(0, []))
        try await client.expect("sync.response")
    }

    @Test("frames may arrive byte by byte")
    func byteByByte() async throws {
        let client = try await client()
        for byte in WireFrame(1, Self.sync).bytes() { try await client.send(bytes: [byte]) }
        try await client.expect("sync.response")
    }

    @Test("all three length forms are read", arguments: [60, 125, 126, 127, 65_535, 65_536])
    func lengths(count: Int) async throws {
        let client = try await client()
        try await client.send(WireFrame(1, Self.message(count)))
        try await client.expect("sync.response")
    }

    @Test("a message over 64 KiB is closed with 1009")
    func tooLong() async throws {
        try await expectClose(1009, after: WireFrame(1, Self.message(65_537)).bytes())
        let (front, back) = (Self.message(65_537).prefix(40_000), Self.message(65_537).dropFirst(40_000))
        try await expectClose(1009, after: WireFrame(1, front, isFinal: false).bytes() + WireFrame(0, back).bytes())
    }

    @Test("a fragmented message of 64 KiB passes")
    func longestFragmented() async throws {
        let client = try await client()
        let message = Self.message(65_536)
        try await client.send(WireFrame(1, message.prefix(40_000), isFinal: false))
        try await client.send(WireFrame(0, message.dropFirst(40_000)))
        try await client.expect("sync.response")
    }

    @Test("a claimed length is refused before its bytes come")
    func hugeClaim() async throws {
        let client = try await client()
        try await client.send(bytes: [0x81, 0xff, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])
        #expect(try await client.closing().code == 1009)
        let negative = try await self.client()
        try await negative.send(bytes: [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4])
        let code = try await negative.closing().code
        #expect(code == 1002 || code == 1009)
    }

    @Test("binary messages are not taken")
    func binary() async throws {
        try await expectClose(1003, after: WireFrame(2, Self.sync).bytes())
    }

    @Test("a ping is answered with its own bytes", arguments: [0, 1, 125])
    func ping(count: Int) async throws {
        let client = try await client()
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try await client.send(WireFrame(9, payload))
        #expect(try await client.frameButPing() == WireFrame(10, payload))
    }

    @Test("a pong nobody asked for is ignored")
    func unasked() async throws {
        let client = try await client()
        try await client.send(WireFrame(10, [1, 2, 3]))
        #expect(try await client.messagesUntilNow().isEmpty)
    }

    @Test("a close is answered with its code, then the connection ends", arguments: [1000, 1001, 1003, 3000, 4999])
    func closeEcho(code: Int) async throws {
        let client = try await client()
        try await client.sendClose(code, "bye")
        #expect(try await client.closing().code == code)
        #expect(try await client.http.closes())
    }

    @Test("a close without a code is answered")
    func emptyClose() async throws {
        let client = try await client()
        try await client.sendClose(nil)
        let code = try await client.closing().code
        #expect(code == nil || code == 1000)
        #expect(try await client.http.closes())
    }

    @Test("nothing is answered after a close")
    func afterClose() async throws {
        let client = try await client()
        let close = WireFrame(8, [0x03, 0xe8]).bytes()
        try await client.send(bytes: close + WireFrame(1, Self.sync).bytes() + WireFrame(9, []).bytes())
        #expect(try await client.frameButPing().opcode == WireFrame.close)
        #expect(try await client.http.closes())
    }
}
