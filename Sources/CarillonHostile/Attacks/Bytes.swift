import CarillonLoad
import NIOCore

/// What attacks say, as bytes.
enum Bytes {
    /// Users of attacks, apart from those who are to notice nothing.
    static let firstUser = 1_000_000

    static func user(_ number: Int) -> String { "user_id=\(firstUser + number)&login=hostile" }

    /// As keys have it.
    static func name(_ number: Int) -> String { "\(firstUser + number)-hostile" }

    static func text(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    static func handshake(_ user: Int, _ query: String = "", headers: String = "") -> ByteBuffer {
        Handshake.request(target: "/ws?\(Self.user(user))\(query)", port: 0, headers: headers)
    }

    static func get(_ target: String, fields: String = "") -> ByteBuffer {
        text("GET \(target) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
    }

    /// The beginning of a post; its fields end with the empty line.
    static func postHead(_ fields: String) -> String {
        "POST /api/v1/notify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\(fields)"
    }

    static func post(_ body: String) -> String { postHead("Content-Length: \(body.utf8.count)\r\n\r\n") + body }

    /// A frame with any first byte, a whole one unless `announced` says more than there is.
    static func frame(
        _ first: UInt8,
        _ payload: some Collection<UInt8>,
        announced: UInt64? = nil,
        isMasked: Bool = true
    ) -> ByteBuffer {
        let length = announced ?? UInt64(payload.count)
        let maskBit: UInt8 = isMasked ? 0x80 : 0
        var frame = ByteBuffer(integer: first)
        switch length {
        case ..<126: frame.writeInteger(maskBit | UInt8(length))
        case ...0xffff:
            frame.writeInteger(maskBit | 126)
            frame.writeInteger(UInt16(length))
        default:
            frame.writeInteger(maskBit | 127)
            frame.writeInteger(length)
        }
        // A mask of zeros is one: the payload stands as it is.
        if isMasked { frame.writeInteger(UInt32(0)) }
        frame.writeBytes(payload)
        return frame
    }

    static func message(_ text: String) -> ByteBuffer { frame(0x81, text.utf8) }

    static func repeated(_ bytes: ByteBuffer, _ count: Int) -> ByteBuffer {
        var all = ByteBuffer()
        all.reserveCapacity(bytes.readableBytes * count)
        for _ in 0..<count { all.writeImmutableBuffer(bytes) }
        return all
    }
}
