internal import NIOCore

/// Text with places for what differs between messages: `<user>`, `<device>`, `<message>`, `<targets>` and `<publisher>`.
///
/// Rendered once per message under load, so it is cut into pieces beforehand.
struct Template: Sendable {
    enum Place: String, CaseIterable, Sendable {
        /// The number of the first user that the message is for.
        case user
        /// The number of the device.
        case device
        /// Stamp and filling.
        case message
        /// The targets' template for each user that the message is for, with commas between.
        case targets
        /// The number of the publisher.
        case publisher
    }

    private enum Piece: Sendable {
        case text([UInt8])
        case place(Place)
    }

    /// What the places stand for.
    struct Values {
        var user = 0
        var device = 0
        var users = 0..<1
        var publisher = 0
        var message = ByteBuffer()
    }

    private let pieces: [Piece]
    private let target: [Piece]

    /// - Parameter target: What `<targets>` repeats.
    init(_ text: String, target: String = "") {
        pieces = Self.pieces(of: text)
        self.target = Self.pieces(of: target)
    }

    func write(_ values: Values, into buffer: inout ByteBuffer) { Self.write(pieces, target, values, into: &buffer) }

    func string(_ values: Values) -> String {
        var buffer = ByteBuffer()
        write(values, into: &buffer)
        return String(buffer: buffer)
    }

    private static func write(_ pieces: [Piece], _ target: [Piece], _ values: Values, into buffer: inout ByteBuffer) {
        for piece in pieces {
            switch piece {
            case .text(let bytes): buffer.writeBytes(bytes)
            case .place(.user): buffer.writeDecimal(values.user)
            case .place(.device): buffer.writeDecimal(values.device)
            case .place(.publisher): buffer.writeDecimal(values.publisher)
            case .place(.message): buffer.writeImmutableBuffer(values.message)
            case .place(.targets):
                var values = values
                for user in values.users {
                    if user != values.users.lowerBound { buffer.writeInteger(UInt8(ascii: ",")) }
                    values.user = user
                    write(target, [], values, into: &buffer)
                }
            }
        }
    }

    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">"),
            let place = Place(rawValue: String(rest[rest.index(after: start)..<end]))
        {
            pieces.append(.text(Array(rest[..<start].utf8)))
            pieces.append(.place(place))
            rest = rest[rest.index(after: end)...]
        }
        pieces.append(.text(Array(rest.utf8)))
        return pieces
    }
}

extension ByteBuffer {
    /// Writes a number in decimal digits.
    mutating func writeDecimal(_ number: Int) {
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { bytes in
            var place = bytes.count
            var rest = number.magnitude
            repeat {
                place -= 1
                bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                place -= 1
                bytes[place] = UInt8(ascii: "-")
            }
            writeBytes(UnsafeRawBufferPointer(rebasing: bytes[place...]))
        }
    }
}
