import CarillonRedis

/// What Redis answers, read by hiredis into memory of ours.
///
/// - The same replies, and the same fault behind them, come of the bytes whatever pieces they arrive in.
/// - They are those that a plain reader of RESP2 finds.
/// - Written again, they are read as the same.
enum RedisReplies {
    static func check(_ bytes: UnsafeRawBufferPointer) throws {
        let whole = read([Array(bytes)])
        for way in Pieces.ways(of: bytes) {
            let inPieces = read(way)
            try require(inPieces == whole, "\(whole) whole, \(inPieces) in pieces")
        }
        var plain = PlainRESP(Array(bytes))
        let expected = plain.replies()
        try require(whole.values == expected.values, "\(whole.values), where RESP2 has \(expected.values)")
        try require(
            (whole.fault != nil) == expected.isFaulty,
            "\(whole.fault ?? "no fault"), where RESP2 has another view"
        )
        let again = read([whole.values.flatMap(Self.written)])
        try require(again == Replies(values: whole.values, fault: nil), "\(whole.values) is read again as \(again)")
    }

    private struct Replies: Equatable {
        var values: [RedisValue] = []
        var fault: String?
    }

    private static func read(_ pieces: [[UInt8]]) -> Replies {
        let parser = RedisReplyParser()
        var replies = Replies()
        for piece in pieces {
            piece.withUnsafeBytes { bytes in
                do throws(RedisError) {
                    try parser.parse(bytes) { reply in
                        replies.values.append(reply.copied())
                        return true
                    }
                } catch {
                    replies.fault = "\(error.code): \(error.detail)"
                }
            }
            if replies.fault != nil { break }
        }
        return replies
    }

    private static func written(_ value: RedisValue) -> [UInt8] {
        switch value {
        case .null: Array("$-1\r\n".utf8)
        case .integer(let number): Array(":\(number)\r\n".utf8)
        case .status(let text): Array("+\(text)\r\n".utf8)
        case .error(let text): Array("-\(text)\r\n".utf8)
        case .bytes(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8)
        case .array(let values): Array("*\(values.count)\r\n".utf8) + values.flatMap(written)
        }
    }
}

/// RESP2 as hiredis reads it, written to be compared with and not to be fast.
///
/// - Source: Redis serialization protocol specification; hiredis 0.14 where it is silent
private struct PlainRESP {
    private enum Fault: Error {
        /// More bytes may put it right.
        case incomplete
        case malformed
    }

    /// Arrays inside one another.
    private static let deepest = 8
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func replies() -> (values: [RedisValue], isFaulty: Bool) {
        var values: [RedisValue] = []
        while true {
            do throws(Fault) {
                values.append(try value(depth: 0))
            } catch {
                return (values, error == .malformed)
            }
        }
    }

    private mutating func value(depth: Int) throws(Fault) -> RedisValue {
        guard index < bytes.count else { throw .incomplete }
        let kind = bytes[index]
        guard "+-:$*".utf8.contains(kind) else { throw .malformed }
        // Refused before its line is there.
        if kind == UInt8(ascii: "*"), depth == Self.deepest { throw .malformed }
        index += 1
        switch kind {
        case UInt8(ascii: "+"): return .status(String(decoding: try line(), as: UTF8.self))
        case UInt8(ascii: "-"): return .error(String(decoding: try line(), as: UTF8.self))
        case UInt8(ascii: ":"): return .integer(try number())
        case UInt8(ascii: "$"): return try bulk()
        default: return try array(depth: depth)
        }
    }

    private mutating func line() throws(Fault) -> ArraySlice<UInt8> {
        let rest = bytes[index...]
        guard let end = rest.indices.dropLast().first(where: { bytes[$0] == 0x0d && bytes[$0 + 1] == 0x0a }) else {
            throw .incomplete
        }
        index = end + 2
        return rest[..<end]
    }

    private mutating func number() throws(Fault) -> Int64 {
        let text = String(decoding: try line(), as: UTF8.self)
        // In its shortest form only.
        guard let number = Int64(text), String(number) == text else { throw .malformed }
        return number
    }

    private mutating func bulk() throws(Fault) -> RedisValue {
        let count = try number()
        if count == -1 { return .null }
        guard count >= 0 else { throw .malformed }
        guard bytes.count - index - 2 >= count else { throw .incomplete }
        defer { index += Int(count) + 2 }
        return .bytes(Array(bytes[index..<index + Int(count)]))
    }

    private mutating func array(depth: Int) throws(Fault) -> RedisValue {
        let count = try number()
        if count == -1 { return .null }
        guard (0...Int64(Int32.max)).contains(count) else { throw .malformed }
        var values: [RedisValue] = []
        for _ in 0..<count { values.append(try value(depth: depth + 1)) }
        return .array(values)
    }
}
