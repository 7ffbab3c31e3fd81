package import NIOCore

/// Cuts what a server sends into the answer to the handshake and frames, and encodes a client's own frames.
///
/// The server writes whole messages, so a fragmented or masked one is a fault of it.
/// - Source: RFC 6455 §5.2
package struct ServerFrames {
    package enum Opcode: UInt8 {
        case text = 1
        /// Only rivals send these.
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10
    }

    package struct Frame {
        package let opcode: Opcode
        package let payload: ByteBuffer
    }

    package init() {}

    private var pending = ByteBuffer()
    /// Bytes of the head that hold no end, so that they are not searched again.
    private var searched = 0

    /// Takes what was read. Where nothing waits, nothing is copied.
    package mutating func append(_ bytes: ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = bytes
        } else {
            var bytes = bytes
            pending.writeBuffer(&bytes)
        }
    }

    /// The answer to the handshake, once it is whole.
    package mutating func nextHead() throws(LoadError) -> HTTPHead? {
        try HTTPHead.read(from: &pending, searched: &searched)
    }

    /// - Throws: `LoadError` where the server breaks RFC 6455.
    package mutating func nextFrame() throws(LoadError) -> Frame? {
        let start = pending.readerIndex
        guard let first = pending.getInteger(at: start, as: UInt8.self),
            let second = pending.getInteger(at: start + 1, as: UInt8.self)
        else { return nil }
        guard first & 0xf0 == 0x80, let opcode = Opcode(rawValue: first & 0x0f) else {
            throw LoadError("a frame that starts with byte \(first)")
        }
        guard second & 0x80 == 0 else { throw LoadError("a masked frame of the server") }
        var length = Int(second)
        var headBytes = 2
        if length == 126 {
            guard let long = pending.getInteger(at: start + 2, as: UInt16.self) else { return nil }
            length = Int(long)
            headBytes = 4
        } else if length == 127 {
            guard let long = pending.getInteger(at: start + 2, as: UInt64.self) else { return nil }
            guard let fitting = Int(exactly: long), fitting < 1 << 30 else {
                throw LoadError("a frame of \(long) bytes")
            }
            length = fitting
            headBytes = 10
        }
        guard pending.readableBytes >= headBytes + length else { return nil }
        pending.moveReaderIndex(forwardBy: headBytes)
        let payload = pending.readSlice(length: length) ?? ByteBuffer()
        // A read buffer that is used up goes back to the channel.
        if pending.readableBytes == 0 { pending = ByteBuffer() }
        return Frame(opcode: opcode, payload: payload)
    }

    /// A whole message in one masked frame.
    package static func encodeMasked(_ opcode: Opcode, _ payload: ByteBuffer, mask: UInt32) -> ByteBuffer {
        let length = payload.readableBytes
        var frame = ByteBuffer()
        frame.reserveCapacity(length + 14)
        frame.writeInteger(0x80 | opcode.rawValue)
        if length < 126 {
            frame.writeInteger(0x80 | UInt8(length))
        } else if length <= 0xffff {
            frame.writeInteger(UInt8(0x80 | 126))
            frame.writeInteger(UInt16(length))
        } else {
            frame.writeInteger(UInt8(0x80 | 127))
            frame.writeInteger(UInt64(length))
        }
        frame.writeInteger(mask)
        for (index, byte) in payload.readableBytesView.enumerated() {
            frame.writeInteger(byte ^ UInt8(truncatingIfNeeded: mask >> (24 - 8 * UInt32(index & 3))))
        }
        return frame
    }
}

/// The bytes that open a WebSocket.
package enum Handshake {
    /// The sample of RFC 6455 §1.3, whose answer is known, so that no hash is needed ten thousand times.
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    package static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    /// - Parameter headers: Further lines, each with its end.
    package static func request(
        target: String,
        host: String = "127.0.0.1",
        port: Int,
        headers: String = ""
    ) -> ByteBuffer {
        ByteBuffer(
            string: "GET \(target) HTTP/1.1\r\nHost: \(host):\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n\(headers)\r\n"
        )
    }
}
