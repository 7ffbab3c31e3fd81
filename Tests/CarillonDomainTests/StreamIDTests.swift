import CarillonDomain
import CarillonTestSupport
import NIOCore
import Testing

@Suite struct StreamIDTests {
    @Test(
        arguments: [
            ("0-0", 0, 0), ("1640995200000-0", 1_640_995_200_000, 0), ("1640995200000", 1_640_995_200_000, 0),
            ("0", 0, 0),
            ("7-18446744073709551615", 7, .max), ("18446744073709551615-18446744073709551615", .max, .max),
            ("007-05", 7, 5),
        ] as [(String, UInt64, UInt64)]
    )
    func parses(text: String, milliseconds: UInt64, sequence: UInt64) {
        let expected = StreamID(milliseconds: milliseconds, sequence: sequence)
        #expect(StreamID(text) == expected)
        #expect(StreamID(bytes: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
        #expect(Array(text.utf8).withUnsafeBytes { StreamID(bytes: $0) } == expected)
    }

    @Test(arguments: [
        "", "-", "-1", "1-", "+1-0", "1-+0", "1--0", "1-0-0", "1-0 ", " 1-0", "1 -0", "a-0", "1-a", "1.0", "0x1-0", "$",
        "+", "*",
        "18446744073709551616-0", "0-18446744073709551616", "99999999999999999999999-0", "1-0\u{0}", "١-0",
    ])
    func refuses(text: String) {
        #expect(StreamID(text) == nil)
    }

    @Test func orderIsTimeThenSequence() {
        let ids = ["0-0", "0-1", "1-0", "1-9", "1-10", "2-0", "10-0", "18446744073709551615-0"].map { StreamID($0)! }
        #expect(ids.shuffled().sorted() == ids)
        #expect(ids[0] == .zero)
        #expect(ids.allSatisfy { $0 < .max })
        #expect(!(ids[1] < ids[1]))
    }

    @Test func theSuccessorIsTheNextPossibleID() {
        #expect(StreamID("5-7")!.successor == StreamID("5-8")!)
        #expect(StreamID("5-18446744073709551615")!.successor == StreamID("6-0")!)
    }

    @Test func textRoundTrip() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<1_000 {
            let shift = UInt64.random(in: 0..<64, using: &random)
            let id = StreamID(milliseconds: random.next() >> shift, sequence: random.next() >> (63 - shift))
            #expect(StreamID(id.text) == id)
            var buffer = ByteBuffer()
            buffer.writeStreamID(id)
            #expect(String(buffer: buffer) == id.text)
        }
    }

    @Test(arguments: [0, 9, 10, 99, 100, 18_446_744_073_709_551_615] as [UInt64])
    func decimals(number: UInt64) {
        var buffer = ByteBuffer()
        buffer.writeDecimal(number)
        #expect(String(buffer: buffer) == "\(number)")
    }
}
