import NIOCore

extension ByteBuffer {
    /// Appends masked bytes unmasked, eight at a time.
    ///
    /// They are copied, not unmasked where they lie: the channel keeps the buffer that it read into for its next read,
    /// so that writing to it would copy all of it, and a message that pointed into it would keep the channel from using
    /// it again.
    /// - Parameters:
    ///   - mask: The masking key, its first byte lowest.
    ///   - position: How many bytes of the same frame came before.
    /// - Returns: What was appended, valid UTF-8 or not.
    /// - Source: RFC 6455 §5.3
    mutating func writeUnmasked(_ bytes: UnsafeRawBufferPointer, mask: UInt32, position: Int) {
        let shift = UInt32(truncatingIfNeeded: position & 3) * 8
        let turned = shift == 0 ? mask : mask >> shift | mask << (32 - shift)
        let wide = UInt64(turned) << 32 | UInt64(turned)
        writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count) { target in
            var index = 0
            while index + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ wide
                target.storeBytes(of: word.littleEndian, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < bytes.count {
                target[index] = bytes[index] ^ UInt8(truncatingIfNeeded: wide >> UInt64(8 * (index & 7)))
                index += 1
            }
            return bytes.count
        }
    }
}
