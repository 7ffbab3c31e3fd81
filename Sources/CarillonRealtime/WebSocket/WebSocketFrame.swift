package import NIOCore

/// Writing frames as a server does: never masked, never fragmented.
///
/// - Source: RFC 6455 §5.2
package enum WebSocketFrame {
    /// The bytes that a frame's header takes for payloads of up to 64 KiB, and so what a page of frames needs beside
    /// its payloads.
    package static let headerBytes = 4

    /// A whole text frame in a buffer of its own, to be sent to any number of connections.
    ///
    /// - Parameters:
    ///   - capacity: Bytes that `body` is expected to write.
    ///   - body: Appends the payload, which must be UTF-8, and reads nothing.
    package static func text<Failure: Error>(
        capacity: Int = 256,
        _ body: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) -> ByteBuffer {
        var frame = ByteBufferAllocator().buffer(capacity: headerBytes + capacity)
        try appendText(to: &frame, body)
        return frame
    }

    /// Appends a text frame to `buffer`, so that many can leave in one.
    ///
    /// The payload is written once, straight behind room for the usual header; only payloads under 126 bytes or over 64
    /// KiB are moved afterwards.
    package static func appendText<Failure: Error>(
        to buffer: inout ByteBuffer,
        _ body: (inout ByteBuffer) throws(Failure) -> Void
    ) throws(Failure) {
        let start = buffer.writerIndex
        buffer.writeInteger(UInt32(0))
        try body(&buffer)
        let payload = start + headerBytes
        let count = buffer.writerIndex - payload
        buffer.setInteger(finalText, at: start)
        switch count {
        case 0...125:
            buffer.setInteger(UInt8(count), at: start + 1)
            move(count, from: payload, to: start + 2, in: &buffer)
            buffer.moveWriterIndex(to: start + 2 + count)
        case 126...0xffff:
            buffer.setInteger(UInt8(126), at: start + 1)
            buffer.setInteger(UInt16(count), at: start + 2)
        default:
            buffer.writeRepeatingByte(0, count: 6)
            move(count, from: payload, to: start + 10, in: &buffer)
            buffer.setInteger(UInt8(127), at: start + 1)
            buffer.setInteger(UInt64(count), at: start + 2)
        }
    }

    /// Where the payload of a frame that was written here begins.
    static func headerLength(of frame: UnsafeRawBufferPointer) -> Int {
        switch frame[1] {
        case 127: 10
        case 126: 4
        default: 2
        }
    }

    static let ping = ByteBuffer(bytes: [0x89, 0])

    /// - Parameter payload: At most 125 bytes, as it came in the ping.
    static func pong(_ payload: ByteBuffer) -> ByteBuffer {
        control(0x8a, payload.readableBytesView)
    }

    /// A close frame; the reason is cut before the character that would take it over 123 bytes.
    static func close(_ code: WebSocketCloseCode?, reason: String = "") -> ByteBuffer {
        guard let code else { return control(0x88, []) }
        var text = reason[...]
        while text.utf8.count > 123 { text = text.dropLast() }
        return control(0x88, [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xff)] + Array(text.utf8))
    }

    private static func move(_ count: Int, from source: Int, to target: Int, in buffer: inout ByteBuffer) {
        buffer.withVeryUnsafeMutableBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: bytes[target..<target + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[source..<source + count]))
        }
    }

    private static let finalText: UInt8 = 0x81

    private static func control(_ first: UInt8, _ payload: some Collection<UInt8>) -> ByteBuffer {
        var frame = ByteBufferAllocator().buffer(capacity: 2 + payload.count)
        frame.writeInteger(first)
        frame.writeInteger(UInt8(payload.count))
        frame.writeBytes(payload)
        return frame
    }
}
