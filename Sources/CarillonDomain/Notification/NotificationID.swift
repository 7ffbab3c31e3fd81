import Glibc

/// The name of one notification: a UUID where the hub made it, any short text where another program wrote the entry.
package struct NotificationID: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    /// Writes the 16 bytes as a version 4 UUID, whatever they were in the version and variant bits.
    ///
    /// - Source: RFC 9562 section 5.4
    package init(randomBytes bytes: (UInt64, UInt64)) {
        let high = bytes.0 & ~0xf000 | 0x4000
        let low = bytes.1 & ~(3 << 62) | 2 << 62
        text = String(unsafeUninitializedCapacity: 36) { buffer in
            var written = 0
            for nibble in 0..<32 {
                if written == 8 || written == 13 || written == 18 || written == 23 {
                    buffer[written] = UInt8(ascii: "-")
                    written += 1
                }
                let word = nibble < 16 ? high : low
                buffer[written] = Self.hexDigits[Int(word >> UInt64(60 - nibble % 16 * 4) & 15)]
                written += 1
            }
            return written
        }
    }

    /// Byte by byte, as Redis compares keys.
    package static func == (left: NotificationID, right: NotificationID) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)
}

/// Makes random notification ids out of blocks of the kernel's randomness, because one system call per id costs 2 us.
///
/// - Isolation: whoever owns it; the hub keeps one on its event loop.
package struct NotificationIDGenerator: ~Copyable {
    /// 256 bytes, the most that getentropy(3) gives at once.
    private static let blockWords = 32
    private var words: [UInt64] = []

    package init() {}

    package mutating func next() -> NotificationID {
        if words.count < 2 { words = Self.randomWords() }
        return NotificationID(randomBytes: (words.removeLast(), words.removeLast()))
    }

    private static func randomWords() -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: blockWords) { buffer, count in
            let failed = getentropy(buffer.baseAddress!, blockWords * MemoryLayout<UInt64>.size) != 0
            precondition(!failed, "the kernel gives no random bytes")
            count = blockWords
        }
    }
}
