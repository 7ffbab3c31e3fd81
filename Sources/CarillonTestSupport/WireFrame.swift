/// One WebSocket frame, both as it is read and as a test may misform it.
///
/// - Source: RFC 6455 §5.2
package struct WireFrame: Sendable, Hashable {
    package var isFinal = true
    /// RSV1 to RSV3 as a number of three bits.
    package var reserved: UInt8 = 0
    package var opcode: UInt8
    package var payload: [UInt8]

    package static let continuation: UInt8 = 0
    package static let text: UInt8 = 1
    package static let binary: UInt8 = 2
    package static let close: UInt8 = 8
    package static let ping: UInt8 = 9
    package static let pong: UInt8 = 10

    package init(
        _ opcode: UInt8,
        _ payload: some Sequence<UInt8>,
        isFinal: Bool = true,
        reserved: UInt8 = 0
    ) {
        self.opcode = opcode
        self.payload = Array(payload)
        self.isFinal = isFinal
        self.reserved = reserved
    }

    /// The code of a close frame; nil where it carries none.
    package var closeCode: Int? {
        payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil
    }

    package var closeReason: String {
        String(decoding: payload.dropFirst(2), as: UTF8.self)
    }

    /// The bytes of the frame, masked unless a test wants to break that rule.
    package func bytes(masked: Bool = true) -> [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        let maskBit: UInt8 = masked ? 0x80 : 0
        switch payload.count {
        case ...125: bytes.append(maskBit | UInt8(payload.count))
        case ...65_535: bytes += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        default:
            bytes.append(maskBit | 127)
            bytes += (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 0xff) }
        }
        guard masked else { return bytes + payload }
        let key = (0..<4).map { _ in UInt8.random(in: 0...255) }
        bytes += key
        bytes += payload.enumerated().map { $0.element ^ key[$0.offset & 3] }
        return bytes
    }
}
