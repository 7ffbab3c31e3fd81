package import NIOCore

/// The number that each post carries in its message, so that a push tells which post it belongs to.
package enum MessageToken {
    private static let prefix = "chaos "

    /// A message of the post `token`. What follows the number looks like members, to trip whoever does not read JSON properly.
    package static func message(_ token: Int, padding: Int) -> String {
        let lure = "\"stream_id\":\"1-1\",\"status\":\"auto_cleared\"}\\ "
        return "\(prefix)\(token) \(lure)\(String(repeating: "x", count: padding))"
    }

    /// The number in a message as it stands in a frame.
    package static func read(_ message: ByteBuffer) -> Int? {
        message.withUnsafeReadableBytes { read($0) }
    }

    package static func read(_ message: String) -> Int? { read(Array(message.utf8)) }

    private static func read(_ bytes: some RandomAccessCollection<UInt8>) -> Int? {
        guard bytes.starts(with: prefix.utf8) else { return nil }
        var number = 0
        var digits = 0
        for byte in bytes.dropFirst(prefix.utf8.count) {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return byte == 0x20 && digits > 0 ? number : nil }
            digits += 1
            guard digits < 18 else { return nil }
            number = number * 10 + Int(digit)
        }
        return nil
    }
}
