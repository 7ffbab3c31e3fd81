import Testing

@testable import CarillonRedis

@Suite struct RedisReplyParserTests {
    private static let wire =
        "+OK\r\n:42\r\n:-7\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n-ERR no such key\r\n"
        + "*2\r\n*2\r\n$15\r\n1700000000123-0\r\n*2\r\n$3\r\nnid\r\n$1\r\nu\r\n*3\r\n:1\r\n$-1\r\n-WRONGTYPE x\r\n"
        + "$4\r\n\r\n\r\n\r\n"

    private static let values: [RedisValue] = [
        .status("OK"), .integer(42), .integer(-7), .bytes(Array("hello".utf8)), .bytes([]), .null, .null, .array([]),
        .error("ERR no such key"),
        .array([
            .array([
                .bytes(Array("1700000000123-0".utf8)), .array([.bytes(Array("nid".utf8)), .bytes(Array("u".utf8))]),
            ]),
            .array([.integer(1), .null, .error("WRONGTYPE x")]),
        ]),
        .bytes(Array("\r\n\r\n".utf8)),
    ]

    private func parse(_ parts: [ArraySlice<UInt8>]) throws -> [RedisValue] {
        let parser = RedisReplyParser()
        var values: [RedisValue] = []
        for part in parts {
            try part.withUnsafeBytes { bytes in
                try parser.parse(bytes) { reply in
                    values.append(reply.copied())
                    return true
                }
            }
        }
        return values
    }

    @Test func everythingAtOnce() throws {
        #expect(try parse([Array(Self.wire.utf8)[...]]) == Self.values)
    }

    @Test func splitInTwoAtEveryByte() throws {
        let bytes = Array(Self.wire.utf8)
        for cut in 0...bytes.count {
            #expect(try parse([bytes[..<cut], bytes[cut...]]) == Self.values, "cut at \(cut)")
        }
    }

    @Test func byteByByte() throws {
        let bytes = Array(Self.wire.utf8)
        #expect(try parse(bytes.indices.map { bytes[$0...$0] }) == Self.values)
    }

    @Test(arguments: [1_023, 1_024, 1_025, 3_000_000])
    func longStrings(length: Int) throws {
        let payload = [UInt8](repeating: 120, count: length)
        let wire = Array("$\(length)\r\n".utf8) + payload + Array("\r\n:1\r\n".utf8)
        #expect(try parse([wire[...]]) == [.bytes(payload), .integer(1)])
    }

    @Test func manyShortRepliesInOneFeed() throws {
        let wire = (0..<20_000).map { ":\($0)\r\n" }.joined()
        #expect(try parse([Array(wire.utf8)[...]]) == (0..<20_000).map { .integer(Int64($0)) })
    }

    @Test(arguments: [(8, true), (9, false)])
    func nestingLimit(depth: Int, accepted: Bool) throws {
        let wire = String(repeating: "*1\r\n", count: depth) + ":1\r\n"
        if accepted {
            #expect(try parse([Array(wire.utf8)[...]]).count == 1)
        } else {
            #expect(throws: RedisError(.protocolViolation)) { try parse([Array(wire.utf8)[...]]) }
        }
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n", ":12x\r\n", "$-5\r\n\r\n", "*-2\r\n", "\r\n"])
    func garbage(wire: String) {
        #expect(throws: RedisError(.protocolViolation)) { try parse([Array(wire.utf8)[...]]) }
    }

    /// It is memory that nobody touches, or an error, and not the end of the process.
    @Test func anArrayMayClaimAnyLength() throws {
        let parser = RedisReplyParser()
        try Array("*2000000000\r\n:1\r\n".utf8).withUnsafeBytes { bytes in
            do throws(RedisError) {
                try parser.parse(bytes) { _ in
                    Issue.record("it is not complete")
                    return true
                }
            } catch {
                #expect(error == RedisError(.protocolViolation))
            }
        }
    }

    @Test func aReaderWhoHadEnoughHearsNoMore() throws {
        let parser = RedisReplyParser()
        var heard = 0
        try Array(":1\r\n:2\r\n:3\r\n".utf8).withUnsafeBytes { bytes in
            try parser.parse(bytes) { _ in
                heard += 1
                return heard < 2
            }
        }
        #expect(heard == 2)
    }

    @Test func viewsReadInPlace() throws {
        let parser = RedisReplyParser()
        var checked = false
        try Array("*5\r\n$2\r\n12\r\n+OK\r\n:9\r\n$-1\r\n-ERR x\r\n".utf8).withUnsafeBytes { bytes in
            try parser.parse(bytes) { reply in
                #expect(reply.kind == .array && reply.count == 5 && reply.byteCount == 0 && reply.integer == nil)
                #expect(reply[0].kind == .string && reply[0].integer == 12 && reply[0].equals("12"))
                #expect(!reply[0].equals("13") && !reply[0].equals("1") && !reply[0].equals("123"))
                #expect(reply[0].withBytes { Array($0) } == [49, 50] && reply[0].byteCount == 2)
                #expect(reply[1].kind == .status && reply[1].string == "OK" && reply[1].integer == nil)
                #expect(reply[2].kind == .integer && reply[2].integer == 9 && reply[2].count == 0)
                #expect(reply[3].isNull && reply[3].kind == .null && reply[3].string.isEmpty)
                #expect(reply[4].kind == .error && reply[4].errorMessage == "ERR x" && reply[1].errorMessage == nil)
                checked = true
                return true
            }
        }
        #expect(checked)
    }
}
