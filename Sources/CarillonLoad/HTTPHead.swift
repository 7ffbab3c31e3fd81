package import NIOCore

/// The head of an HTTP/1.1 answer, as far as load drivers need it.
///
/// - Source: RFC 9112 §4 to §6
package struct HTTPHead {
    package private(set) var status = 0
    package private(set) var contentLength: Int?
    package private(set) var retryAfterSeconds: Int?
    package private(set) var isReplayed = false
    package private(set) var closes = false
    private var isWebSocketAccepted = false

    /// Whether the handshake that `Handshake.request` made succeeded.
    package var isAccepted: Bool { status == 101 && isWebSocketAccepted }

    /// Longest head that is read.
    private static let maximumBytes = 16_384

    /// Takes a whole head off the buffer.
    ///
    /// - Parameter searched: Bytes that are known to hold no end of it.
    /// - Returns: nil while it is not whole.
    /// - Throws: `LoadError` where it is not HTTP/1.1 or of a kind that this server never sends.
    package static func read(from buffer: inout ByteBuffer, searched: inout Int) throws(LoadError) -> HTTPHead? {
        let length = buffer.withUnsafeReadableBytes { bytes -> Int? in
            var index = max(searched, 3)
            while index < bytes.count {
                if bytes[index] == 0x0a, bytes[index - 1] == 0x0d, bytes[index - 2] == 0x0a, bytes[index - 3] == 0x0d {
                    return index + 1
                }
                index += 1
            }
            return nil
        }
        guard let length else {
            guard buffer.readableBytes < maximumBytes else { throw LoadError("an endless head") }
            searched = buffer.readableBytes
            return nil
        }
        searched = 0
        let head = buffer.withUnsafeReadableBytes { HTTPHead(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
        buffer.moveReaderIndex(forwardBy: length)
        guard let head else { throw LoadError("an answer that is not HTTP/1.1 with a length") }
        return head
    }

    private init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.starts(with: "HTTP/1.1 ".utf8), bytes.count > 12,
            let status = Self.number(UnsafeRawBufferPointer(rebasing: bytes[9..<12]))
        else { return nil }
        self.status = status
        var start = (bytes.firstIndex(of: 0x0a) ?? bytes.count - 1) + 1
        while start < bytes.count, let end = bytes[start...].firstIndex(of: 0x0a), end > start + 1 {
            guard readField(UnsafeRawBufferPointer(rebasing: bytes[start..<(end - 1)])) else { return nil }
            start = end + 1
        }
    }

    /// Returns false for a field that makes the answer unreadable.
    private mutating func readField(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return false }
        var start = colon + 1
        while start < line.count, line[start] == 0x20 { start += 1 }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        let value = UnsafeRawBufferPointer(rebasing: line[start...])
        if Self.equals(name, "content-length") {
            contentLength = Self.number(value)
            return contentLength != nil
        }
        if Self.equals(name, "transfer-encoding") { return false }
        if Self.equals(name, "retry-after") { retryAfterSeconds = Self.number(value) }
        if Self.equals(name, "idempotent-replayed") { isReplayed = Self.equals(value, "true") }
        if Self.equals(name, "connection") { closes = Self.equals(value, "close") }
        if Self.equals(name, "sec-websocket-accept") {
            isWebSocketAccepted = value.elementsEqual(Handshake.accept.utf8)
        }
        return true
    }

    /// - Parameter word: In lower case.
    private static func equals(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count {
            let byte = bytes[index]
            let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            if lower != word.utf8Start[index] { return false }
        }
        return true
    }

    private static func number(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard !bytes.isEmpty, bytes.count < 10 else { return nil }
        var value = 0
        for byte in bytes {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
