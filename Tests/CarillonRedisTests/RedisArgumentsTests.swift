import NIOCore
import Testing

@testable import CarillonRedis

@Suite struct RedisArgumentsTests {
    private func encoded(_ command: StaticString, _ count: Int, _ write: (inout RedisArguments) -> Void) -> String {
        var arguments = RedisArguments(buffer: ByteBuffer())
        arguments.begin(command, arguments: count)
        write(&arguments)
        arguments.end()
        return String(buffer: arguments.buffer)
    }

    @Test func commandWithoutArguments() {
        #expect(encoded("PING", 0) { _ in } == "*1\r\n$4\r\nPING\r\n")
    }

    @Test func everyKindOfArgument() {
        let text = encoded("X", 0 + 9) { writer in
            writer.key(RedisKey("stream:user:", "1-alice"))
            writer.key(RedisKey("notif:pods:hb"))
            writer.bulk("EX" as StaticString)
            writer.bulk("Grüße, a text that is longer than a small string")
            writer.bulk("xtailx".dropFirst().dropLast())
            writer.bulk(ByteBuffer(string: "\r\n$0"))
            writer.bulk(ByteBuffer(string: "view").readableBytesView)
            [UInt8(0), 255].withUnsafeBytes { writer.bulk(bytes: $0) }
            writer.bulk("")
        }
        let raw = String(
            decoding: Array(
                ("*10\r\n$1\r\nX\r\n$19\r\nstream:user:1-alice\r\n$13\r\nnotif:pods:hb\r\n$2\r\nEX\r\n"
                    + "$50\r\nGrüße, a text that is longer than a small string\r\n$4\r\ntail\r\n$4\r\n\r\n$0\r\n"
                    + "$4\r\nview\r\n$2\r\n").utf8
            ) + [0, 255] + Array("\r\n$0\r\n\r\n".utf8),
            as: UTF8.self
        )
        #expect(text == raw)
    }

    @Test(arguments: [
        (Int64(0), "$1\r\n0\r\n"), (9, "$1\r\n9\r\n"), (10, "$2\r\n10\r\n"), (-1, "$2\r\n-1\r\n"),
        (999_999, "$6\r\n999999\r\n"), (1_000_000, "$7\r\n1000000\r\n"),
        (.max, "$19\r\n9223372036854775807\r\n"), (.min, "$20\r\n-9223372036854775808\r\n"),
    ])
    func integers(number: Int64, expected: String) {
        #expect(encoded("X", 1) { $0.integer(number) } == "*2\r\n$1\r\nX\r\n" + expected)
    }

    @Test func unsignedAndPlainIntegers() {
        let text = encoded("X", 3) { writer in
            writer.integer(UInt64.max)
            writer.integer(UInt64(10_000_000_000_000_000_000))
            writer.integer(42 as Int)
        }
        #expect(
            text == "*4\r\n$1\r\nX\r\n$20\r\n18446744073709551615\r\n$20\r\n10000000000000000000\r\n$2\r\n42\r\n"
        )
    }

    @Test func streamIDs() {
        let text = encoded("X", 3) { writer in
            writer.bulk(milliseconds: 0, sequence: 0)
            writer.bulk(milliseconds: 1_700_000_000_123, sequence: 7)
            writer.bulk(milliseconds: .max, sequence: .max)
        }
        #expect(
            text == "*4\r\n$1\r\nX\r\n$3\r\n0-0\r\n$15\r\n1700000000123-7\r\n"
                + "$41\r\n18446744073709551615-18446744073709551615\r\n"
        )
    }

    @Test(arguments: [0, 9, 10, 99, 100, 999, 1_000, 70_000])
    func lengthsAtEveryDigitCount(length: Int) {
        let payload = String(repeating: "x", count: length)
        #expect(encoded("X", 1) { $0.bulk(payload) } == "*2\r\n$1\r\nX\r\n$\(length)\r\n\(payload)\r\n")
    }

    @Test func argumentsOfColdPaths() {
        var arguments = RedisArguments(buffer: ByteBuffer())
        let command = RedisCommand(
            "SET",
            .key(RedisKey("k:", "1")),
            "va\("lue")",
            "EX",
            900,
            .bytes(ByteBuffer(string: "b"))
        )
        arguments.begin(command.name, arguments: command.arguments.count)
        for argument in command.arguments { argument.write(to: &arguments) }
        arguments.end()
        #expect(
            String(buffer: arguments.buffer)
                == "*6\r\n$3\r\nSET\r\n$3\r\nk:1\r\n$5\r\nvalue\r\n$2\r\nEX\r\n$3\r\n900\r\n$1\r\nb\r\n"
        )
    }

    @Test func aRewoundCommandLeavesNothing() {
        var arguments = RedisArguments(buffer: ByteBuffer(string: "before"))
        let start = arguments.buffer.writerIndex
        arguments.begin("X" as StaticString, arguments: 1)
        arguments.bulk("gone")
        arguments.end()
        arguments.rewind(to: start)
        #expect(String(buffer: arguments.buffer) == "before")
    }

    @Test func aBurstGivesItsMemoryBack() {
        var arguments = RedisArguments(buffer: ByteBuffer())
        arguments.begin("ECHO" as StaticString, arguments: 1)
        arguments.bulk(String(repeating: "x", count: 5_000))
        arguments.clear(keeping: 16_384)
        #expect(arguments.buffer.capacity >= 5_000)
        #expect(arguments.buffer.readableBytes == 0)
        arguments.clear(keeping: 4_096)
        #expect(arguments.buffer.capacity < 4_096)
    }
}
