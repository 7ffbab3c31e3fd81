/// The first 2 to 14 bytes of a client's frame.
///
/// - Source: RFC 6455 §5.2
struct WebSocketFrameHeader: Equatable {
    enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    enum Parsed: Equatable {
        case incomplete
        case header(WebSocketFrameHeader)
        case violation(WebSocketViolation)
    }

    static let maximumBytes = 14

    let opcode: Opcode
    let isFinal: Bool
    /// The masking key, its first byte lowest.
    let mask: UInt32
    /// Bytes of payload; any 63-bit number, to be judged before it is believed.
    let length: Int
    /// Bytes of the header itself.
    let size: Int

    /// Reads a header and refuses what no later byte could put right, however little has arrived.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> Parsed {
        guard let first = bytes.first else { return .incomplete }
        guard first & 0x70 == 0 else { return .violation(.reservedBits) }
        guard let opcode = Opcode(rawValue: first & 0x0f) else { return .violation(.reservedOpcode) }
        let isFinal = first & 0x80 != 0
        if opcode.isControl, !isFinal { return .violation(.controlFragmented) }
        guard bytes.count >= 2 else { return .incomplete }
        guard bytes[1] & 0x80 != 0 else { return .violation(.unmasked) }
        var length = Int(bytes[1] & 0x7f)
        if opcode.isControl, length > 125 { return .violation(.controlTooLong) }
        var size = 2
        switch length {
        case 126:
            guard bytes.count >= 4 else { return .incomplete }
            length = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard length > 125 else { return .violation(.lengthNotMinimal) }
            size = 4
        case 127:
            guard bytes.count >= 10 else { return .incomplete }
            let long = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            guard long >> 63 == 0 else { return .violation(.lengthTooLarge) }
            guard long > 0xffff else { return .violation(.lengthNotMinimal) }
            length = Int(long)
            size = 10
        default: break
        }
        guard bytes.count >= size + 4 else { return .incomplete }
        let mask = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: size, as: UInt32.self))
        return .header(Self(opcode: opcode, isFinal: isFinal, mask: mask, length: length, size: size + 4))
    }
}
