/// Checks UTF-8 that arrives in pieces, and fails at the first byte that cannot be right.
///
/// Between two pieces only the rest of one character has to be remembered: how many bytes it still needs, and what the
/// next one may be. The narrower range behind E0, ED, F0 and F4 is what keeps out overlong forms, surrogates and
/// numbers above U+10FFFF.
/// - Source: RFC 3629 §4
struct UTF8Validator {
    private var needed: UInt8 = 0
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xbf

    /// Whether the text may end here.
    var isAtBoundary: Bool { needed == 0 }

    /// - Returns: False when the bytes can no longer become UTF-8, whatever follows.
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        let count = bytes.count
        while index < count {
            if needed == 0 {
                while index + 8 <= count,
                    bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                {
                    index += 8
                }
                guard index < count else { break }
            }
            guard accept(bytes[index]) else { return false }
            index += 1
        }
        return true
    }

    @inline(__always)
    private mutating func accept(_ byte: UInt8) -> Bool {
        guard needed > 0 else { return begin(byte) }
        guard byte >= lower, byte <= upper else { return false }
        needed -= 1
        (lower, upper) = (0x80, 0xbf)
        return true
    }

    private mutating func begin(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x7f: return true
        case 0xc2...0xdf: needed = 1
        case 0xe0: (needed, lower) = (2, 0xa0)
        case 0xed: (needed, upper) = (2, 0x9f)
        case 0xe1...0xef: needed = 2
        case 0xf0: (needed, lower) = (3, 0x90)
        case 0xf1...0xf3: needed = 3
        case 0xf4: (needed, upper) = (3, 0x8f)
        default: return false
        }
        return true
    }
}
