import NIOCore
import Testing

@testable import CarillonBench

@Suite struct StampTests {
    private func stamps(_ text: String) -> [Stamp] {
        var start = 0
        var found: [Stamp] = []
        let bytes = ByteBuffer(string: text)
        while let stamp = bytes.withUnsafeReadableBytes({ Stamp(in: $0, from: &start) }) { found.append(stamp) }
        return found
    }

    @Test(arguments: [64, 200, 1_000]) func fillsTheMessageToItsSize(size: Int) {
        let stamp = Stamp(run: 7, number: 123_456, due: 9_876_543_210)
        var text = ByteBuffer()
        stamp.write(size: size, into: &text)
        #expect(text.readableBytes == size)
        #expect(stamps(String(buffer: text)) == [stamp])
    }

    @Test func isFoundInsideAnything() {
        let stamp = Stamp(run: 1, number: 2, due: 3)
        #expect(stamps("{\"message\":\"~b1.2.3~xxx\",\"a\":\"~\"}") == [stamp])
        #expect(stamps("~b1.2.3~") == [stamp])
        #expect(stamps("~~b1.2.3~") == [stamp])
        #expect(stamps("~b1.~b1.2.3~") == [stamp])
        #expect(stamps("MSG u.1 1 231\r\n~b1.2.3~xx\r\nMSG u.1 1 231\r\n~b1.5.6~x").map(\.number) == [2, 5])
    }

    @Test(arguments: [
        "", "~", "~b", "~b1", "~b1.2", "~b1.2.3", "~b1.2.3.", "~bx.2.3~", "~b1..3~", "~b1234567890123456789.2.3~",
    ])
    func nothingElseIsOne(text: String) { #expect(stamps(text).isEmpty) }
}

@Suite struct TemplateTests {
    @Test func putsValuesInTheirPlaces() {
        let template = Template(
            #"{"target":[<targets>],"message":"<message>"} by <publisher>, <unknown> > <"#,
            target: #"{"id":<user>}"#
        )
        let values = Template.Values(user: 7, users: 7..<10, publisher: 3, message: ByteBuffer(string: "hello"))
        let expected = #"{"target":[{"id":7},{"id":8},{"id":9}],"message":"hello"} by 3, <unknown> > <"#
        #expect(template.string(values) == expected)
    }

    @Test(arguments: [0, 7, 10, 1_234_567_890, Int.max, -5, Int.min]) func writesDecimals(number: Int) {
        var buffer = ByteBuffer()
        buffer.writeDecimal(number)
        #expect(String(buffer: buffer) == "\(number)")
    }

    @Test func findsTextInBytes() {
        let buffer = ByteBuffer(string: "a notification.read.ack comes")
        #expect(buffer.contains("notification.read.ack") && buffer.contains("a") && buffer.contains("comes"))
        #expect(!buffer.contains("comes.") && !ByteBuffer().contains("a"))
    }
}
