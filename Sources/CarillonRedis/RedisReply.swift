import CHiredis

/// A reply of Redis, read in place where hiredis parsed it.
///
/// It owns nothing and is valid only during the call that hands it over: what is needed later must be copied out of it
/// (`string`, `copied()`).
///
/// - Isolation: event loop of the connection.
/// - Source: hiredis 0.14, `redisReply`; RESP2
package struct RedisReply {
    package enum Kind: Sendable {
        case string
        case status
        case integer
        case array
        case null
        case error
    }

    // SAFETY: points into the tree in `RedisReplyArena`, which is cleared after the call.
    private let tree: UnsafeMutablePointer<redisReply>

    init(_ tree: UnsafeMutablePointer<redisReply>) {
        self.tree = tree
    }

    package var kind: Kind {
        switch tree.pointee.type {
        case REDIS_REPLY_STRING: .string
        case REDIS_REPLY_STATUS: .status
        case REDIS_REPLY_INTEGER: .integer
        case REDIS_REPLY_ARRAY: .array
        case REDIS_REPLY_ERROR: .error
        default: .null
        }
    }

    package var isNull: Bool { tree.pointee.type == REDIS_REPLY_NIL }

    /// The number of an integer reply, or of a string or status of decimal digits; nil for everything else.
    package var integer: Int64? {
        switch tree.pointee.type {
        case REDIS_REPLY_INTEGER: tree.pointee.integer
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: Int64(string)
        default: nil
        }
    }

    /// The text of an error inside an array; an error that is a command's whole reply goes to `RedisReceiver.failed`.
    package var errorMessage: String? { kind == .error ? string : nil }

    /// How many elements an array has; 0 for everything else.
    package var count: Int { tree.pointee.elements }

    package subscript(index: Int) -> RedisReply {
        precondition(index >= 0 && index < tree.pointee.elements, "index out of range of a Redis reply")
        // SAFETY: hiredis fills all elements before it hands out an array.
        return RedisReply(tree.pointee.element[index]!)
    }

    /// The bytes of a string, status or error; empty for everything else. As short-lived as the reply itself.
    package var bytes: UnsafeRawBufferPointer {
        // SAFETY: hiredis keeps `len` bytes behind `str`, and a null pointer with 0 where there is no text.
        UnsafeRawBufferPointer(start: tree.pointee.str, count: tree.pointee.str == nil ? 0 : tree.pointee.len)
    }

    package var byteCount: Int { bytes.count }

    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes)
    }

    /// A copy of the text of a string, status or error; broken UTF-8 is repaired. Empty for everything else.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    package func equals(_ text: StaticString) -> Bool {
        guard text.hasPointerRepresentation else { return string == "\(text)" }
        let bytes = bytes
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        // SAFETY: a StaticString with a pointer lives as long as the program; both are `count` bytes long.
        return bytes.elementsEqual(UnsafeRawBufferPointer(start: text.utf8Start, count: bytes.count))
    }

    package func copied() -> RedisValue {
        switch kind {
        case .string: .bytes(Array(bytes))
        case .status: .status(string)
        case .integer: .integer(tree.pointee.integer)
        case .array: .array((0..<count).map { self[$0].copied() })
        case .null: .null
        case .error: .error(string)
        }
    }
}

@available(*, unavailable)
extension RedisReply: Sendable {}
