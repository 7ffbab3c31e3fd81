import CarillonTLS

/// `Sec-WebSocket-Key` and the answer that proves that it was read.
///
/// - Source: RFC 6455 §4.2.2, RFC 4648 §4
enum WebSocketKey {
    private static let guid = Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Whether `key` is base64 of 16 bytes: 22 characters and two of padding.
    static func isKey(_ key: UnsafeRawBufferPointer) -> Bool {
        key.count == 24 && key[22...].elementsEqual("==".utf8) && key[..<22].allSatisfy(alphabet.contains)
    }

    static func accept(_ key: UnsafeRawBufferPointer) -> String {
        let digest = (Array(key) + guid).withUnsafeBytes(Digest.sha1)
        return base64(digest)
    }

    static func base64(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                text.append(
                    index > group.count ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)]
                )
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
