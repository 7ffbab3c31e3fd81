import CarillonTestSupport
import NIOCore
import Testing

@testable import CarillonRealtime

@Suite("Reading frames")
struct WebSocketDecoderTests {
    private static let limit = 65_536
    private static let mask: [UInt8] = [1, 2, 3, 4]

    /// What the decoder makes of `pieces`, up to and with the first violation.
    private static func decode(_ pieces: [ArraySlice<UInt8>], limit: Int = limit) -> [String] {
        var decoder = WebSocketDecoder()
        var events: [String] = []
        for piece in pieces {
            piece.withUnsafeBytes { bytes in
                var input = bytes
                while events.last?.hasPrefix("!") != true {
                    let event = decoder.next(&input, limit: limit)
                    if case .needsMore = event {
                        #expect(input.isEmpty)
                        return
                    }
                    events.append(describe(event))
                }
            }
        }
        return events
    }

    private static func describe(_ event: WebSocketDecoder.Event) -> String {
        switch event {
        case .needsMore: "-"
        case .fragment: "fragment"
        case .message(let message): "text \(String(buffer: message))"
        case .ping(let payload): "ping \(String(buffer: payload))"
        case .pong: "pong"
        case .close(let code): "close \(code?.rawValue ?? 0)"
        case .violation(let violation): "! \(violation.code.rawValue) \(violation.reason)"
        }
    }

    /// The same bytes whole, in two pieces at every place, and one by one.
    private static func expect(_ bytes: [UInt8], _ events: [String], sourceLocation: SourceLocation = #_sourceLocation)
    {
        #expect(decode([bytes[...]]) == events, sourceLocation: sourceLocation)
        for split in 0...bytes.count {
            #expect(decode([bytes[..<split], bytes[split...]]) == events, sourceLocation: sourceLocation)
        }
        #expect(decode(bytes.indices.map { bytes[$0...$0] }) == events, sourceLocation: sourceLocation)
    }

    @Test("takes text of every length around the header's forms", arguments: [0, 1, 7, 8, 9, 125, 126, 127, 400])
    func text(count: Int) {
        let text = String(String(repeating: "abcdefghijk", count: 100).prefix(count))
        Self.expect(ClientFrame.text(text), ["text \(text)"])
    }

    @Test("joins fragments, with control frames between them")
    func fragments() {
        Self.expect(
            ClientFrame.text("Grü", final: false) + ClientFrame.ping("p") + ClientFrame.continuation("", final: false)
                + ClientFrame.frame(0x8a, [1]) + ClientFrame.continuation("ße", final: true) + ClientFrame.text("next"),
            ["fragment", "ping p", "fragment", "pong", "text Grüße", "text next"]
        )
    }

    @Test("lets a character cross two fragments, but not the end of the message")
    func splitCharacter() {
        let bytes = Array("🎉".utf8)
        for split in 0...4 {
            Self.expect(
                ClientFrame.frame(0x01, Array(bytes[..<split])) + ClientFrame.frame(0x80, Array(bytes[split...])),
                ["fragment", "text 🎉"]
            )
        }
        for count in 1...3 {
            Self.expect(ClientFrame.frame(0x81, Array(bytes[..<count])), ["! 1007 text is not UTF-8"])
            Self.expect(
                ClientFrame.frame(0x01, Array(bytes[..<count])) + ClientFrame.frame(0x80, []),
                ["fragment", "! 1007 text is not UTF-8"]
            )
        }
    }

    @Test(
        "refuses what breaks the protocol",
        arguments: [
            ([0x81, 0x00], "! 1002 frame is not masked"),
            ([0x81, 0x05, 1, 2, 3, 4, 5], "! 1002 frame is not masked"),
            ([0xc1], "! 1002 reserved bits are set"), ([0xa1], "! 1002 reserved bits are set"),
            ([0x91], "! 1002 reserved bits are set"), ([0x09], "! 1002 control frame is fragmented"),
            ([0x08], "! 1002 control frame is fragmented"), ([0x0a], "! 1002 control frame is fragmented"),
            ([0x89, 0xfe], "! 1002 control frame is longer than 125 bytes"),
            ([0x88, 0xff], "! 1002 control frame is longer than 125 bytes"),
            ([0x81, 0xfe, 0, 125], "! 1002 length is not in its shortest form"),
            ([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], "! 1002 length is not in its shortest form"),
            ([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], "! 1002 length has its top bit set"),
            ([0x80, 0x80] + mask, "! 1002 nothing to continue"), ([0x00, 0x80] + mask, "! 1002 nothing to continue"),
            ([0x82, 0x80] + mask, "! 1003 only text messages are taken"),
            ([0x02, 0x81] + mask, "! 1003 only text messages are taken"),
            ([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] + mask, "! 1009 message is too long"),
        ] as [([UInt8], String)]
    )
    func violations(bytes: [UInt8], event: String) {
        Self.expect(bytes, [event])
    }

    @Test("refuses reserved opcodes", arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8])
    func reservedOpcodes(opcode: UInt8) {
        Self.expect([0x80 | opcode], ["! 1002 reserved opcode"])
        Self.expect([opcode], ["! 1002 reserved opcode"])
    }

    @Test("refuses a new message inside a fragmented one", arguments: [0x81, 0x01, 0x82] as [UInt8])
    func messageInsideMessage(first: UInt8) {
        Self.expect(
            ClientFrame.text("a", final: false) + ClientFrame.frame(first, [0x62]),
            ["fragment", "! 1002 new message inside a fragmented one"]
        )
    }

    @Test("takes control frames of 125 bytes")
    func longestControl() {
        let payload = String(repeating: "p", count: 125)
        Self.expect(ClientFrame.ping(payload), ["ping \(payload)"])
    }

    @Test(
        "holds the cap for whole messages, under, at and over it",
        arguments: [(65_535, true), (65_536, true), (65_537, false)]
    )
    func messageCap(count: Int, isTaken: Bool) {
        let bytes = ClientFrame.frame(0x81, Array(repeating: 0x61, count: count))
        let events = Self.decode([bytes[...]])
        #expect(events.first?.hasPrefix("text") == isTaken)
        #expect(Self.decode([bytes[..<1000], bytes[1000...]]) == events)
    }

    @Test(
        "refuses from the header alone, whatever the fragments",
        arguments: [(9, 1, true), (9, 2, false), (10, 0, true), (10, 1, false), (11, 0, false)]
    )
    func fragmentCap(first: Int, second: Int, isTaken: Bool) {
        var bytes = ClientFrame.frame(0x01, Array(repeating: 0x61, count: first))
        bytes += ClientFrame.header(0x80, length: second) + [0, 0, 0, 0]
        let events = Self.decode([bytes[...]], limit: 10)
        #expect(events.contains("! 1009 message is too long") != isTaken)
    }

    @Test("fails on the first wrong byte, long before the frame ends")
    func failsFast() {
        let bytes = ClientFrame.frame(0x81, [0x61, 0xff] + Array(repeating: 0x61, count: 60_000))
        #expect(Self.decode([bytes[..<9]]) == [])
        #expect(Self.decode([bytes[..<10]]) == ["! 1007 text is not UTF-8"])
    }

    @Test(
        "knows the close codes that may be sent",
        arguments: [
            (1000, true), (1001, true), (1002, true), (1003, true), (1007, true), (1011, true), (1012, true),
            (1014, true),
            (3000, true), (3999, true), (4000, true), (4429, true), (4999, true), (0, false), (999, false),
            (1004, false),
            (1005, false), (1006, false), (1015, false), (1016, false), (1100, false), (2000, false), (2999, false),
            (5000, false), (65_535, false),
        ] as [(UInt16, Bool)]
    )
    func closeCodes(code: UInt16, isAllowed: Bool) {
        Self.expect(ClientFrame.close(code), [isAllowed ? "close \(code)" : "! 1002 close code must not be sent"])
    }

    @Test("reads close frames with and without code and reason")
    func closePayloads() {
        Self.expect(ClientFrame.close(nil), ["close 0"])
        Self.expect(ClientFrame.close(1000, "bye"), ["close 1000"])
        Self.expect(ClientFrame.close(1000, String(repeating: "r", count: 123)), ["close 1000"])
        Self.expect(ClientFrame.frame(0x88, [3]), ["! 1002 close frame has half a code"])
        Self.expect(ClientFrame.frame(0x88, [3, 0xe8, 0xff]), ["! 1007 text is not UTF-8"])
        Self.expect(ClientFrame.frame(0x88, [3, 0xe8, 0xc3]), ["! 1007 text is not UTF-8"])
    }

    @Test("makes the same of random traffic, however it is cut")
    func fuzz() {
        var random = SeededGenerator(seed: 0xca41_110e)
        for _ in 0..<300 {
            let bytes = Self.randomTraffic(&random)
            let whole = Self.decode([bytes[...]])
            for _ in 0..<5 {
                var pieces: [ArraySlice<UInt8>] = []
                var rest = bytes[...]
                while !rest.isEmpty {
                    let longest = Bool.random(using: &random) ? 5 : 200
                    let count = Int.random(in: 1...longest, using: &random)
                    pieces.append(rest.prefix(count))
                    rest = rest.dropFirst(count)
                }
                #expect(Self.decode(pieces) == whole)
            }
        }
    }

    /// Mostly proper frames, with a flipped bit now and then.
    private static func randomTraffic(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let mask = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = String(repeating: ["a", "é", "世", "🎉"].randomElement(using: &random) ?? "", count: 37)
            let payload = Array(text.utf8.prefix(Int.random(in: 0...150, using: &random)))
            let first: UInt8 = [0x81, 0x81, 0x81, 0x01, 0x00, 0x80, 0x89, 0x8a].randomElement(using: &random) ?? 0x81
            bytes += ClientFrame.frame(first, first >= 0x88 ? Array(payload.prefix(125)) : payload, mask: mask)
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
        }
        return bytes
    }

    @Test("unmasks from every position", arguments: 0..<20)
    func unmasks(position: Int) {
        let plain = (0..<41).map { UInt8($0) }
        let masked = plain.indices.map { plain[$0] ^ Self.mask[(position + $0) % 4] }
        var buffer = ByteBuffer()
        masked.withUnsafeBytes { buffer.writeUnmasked($0, mask: 0x0403_0201, position: position) }
        #expect(Array(buffer.readableBytesView) == plain)
    }
}
