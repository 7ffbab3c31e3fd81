/// Writing JSON (RFC 8259) by hand where a frame or a row is too hot, or too small, for an encoder.
package enum JSON {
    /// `text` as a JSON string, quotes included.
    package static func quoted(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 2)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 { escape(byte) { bytes.append($0) } }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether `text` is one JSON value, white space around it allowed.
    package static func isValue(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
            scanner.skipSpace()
            do throws(JSONScanner.Malformed) {
                _ = try scanner.value()
                try scanner.end()
                return true
            } catch {
                return false
            }
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    @inline(__always)
    private static func escape(_ byte: UInt8, _ emit: (UInt8) -> Void) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            emit(UInt8(ascii: "\\"))
            emit(byte)
        case 0x0a:
            emit(UInt8(ascii: "\\"))
            emit(UInt8(ascii: "n"))
        case 0x00...0x1f:
            for byte in [UInt8(ascii: "\\"), UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")] { emit(byte) }
            emit(hexDigits[Int(byte >> 4)])
            emit(hexDigits[Int(byte & 15)])
        default:
            emit(byte)
        }
    }
}
