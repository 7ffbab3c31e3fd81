/// A reply of Redis as an owned copy, for paths where convenience counts more than speed.
package enum RedisValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case status(String)
    case bytes([UInt8])
    case array([RedisValue])
    /// Only inside arrays and in the answers of `RedisClient.pipeline`.
    case error(String)

    /// The text of a string or status, with broken UTF-8 repaired; nil for everything else.
    package var string: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null, .integer, .array, .error: nil
        }
    }

    /// The number of an integer, or of a string of decimal digits; nil for everything else.
    package var integer: Int64? {
        if case .integer(let number) = self { return number }
        return string.flatMap { Int64($0) }
    }

    /// The elements of an array; nil for everything else.
    package var array: [RedisValue]? {
        if case .array(let elements) = self { return elements }
        return nil
    }

    package var isNull: Bool { self == .null }
}
