/// One of the 16,384 parts that a cluster's keys are divided into.
///
/// - Source: Redis Cluster specification, "Key distribution model" and "Hash tags"
package enum HashSlot {
    package static let count = 16_384

    /// The slot of a key: CRC16 of it, or of what stands between its first `{` and the next `}` where that is not empty.
    package static func of(_ key: some Collection<UInt8>) -> UInt16 {
        guard let open = key.firstIndex(of: UInt8(ascii: "{")) else { return crc(key) }
        let rest = key[key.index(after: open)...]
        guard let close = rest.firstIndex(of: UInt8(ascii: "}")), close > rest.startIndex else { return crc(key) }
        return crc(rest[..<close])
    }

    static func of(_ key: RedisKey) -> UInt16 { of(Array(key.text.utf8)) }

    /// CRC16-XMODEM: polynomial 0x1021, from 0, nothing reflected.
    private static func crc(_ bytes: some Sequence<UInt8>) -> UInt16 {
        bytes.reduce(0) { crc, byte in crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)] }
            % UInt16(count)
    }

    private static let table: [UInt16] = (0..<256).map { byte in
        (0..<8).reduce(UInt16(byte) << 8) { crc, _ in crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
    }
}
