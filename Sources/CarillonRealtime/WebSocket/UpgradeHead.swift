import NIOCore

/// A request head that is collected until its empty line.
final class UpgradeHead {
    enum Step {
        case incomplete
        case refused(WebSocketRefusal)
        /// The head, and what came behind it: the first frames.
        case complete(WebSocketUpgrade, rest: ByteBuffer)
    }

    private let limit: Int
    private var bytes = ByteBuffer()

    /// - Parameter limit: Most bytes of a head, its empty line included.
    init(limit: Int) {
        self.limit = limit
    }

    func append(_ piece: ByteBuffer) -> Step {
        // The end may have begun in the bytes before, but no more than three of them.
        let searched = max(0, bytes.readableBytes - 3)
        if bytes.readableBytes == 0 { bytes = piece } else { bytes.writeImmutableBuffer(piece) }
        guard let count = Self.headLength(bytes, from: searched) else {
            return bytes.readableBytes < limit ? .incomplete : .refused(.headTooLarge(limit: limit))
        }
        guard count <= limit else { return .refused(.headTooLarge(limit: limit)) }
        do throws(WebSocketRefusal) {
            let upgrade = try bytes.withUnsafeReadableBytes { (all) throws(WebSocketRefusal) in
                try WebSocketUpgrade.parse(UnsafeRawBufferPointer(rebasing: all[..<count]))
            }
            bytes.moveReaderIndex(forwardBy: count)
            return .complete(upgrade, rest: bytes)
        } catch {
            return .refused(error)
        }
    }

    /// - Returns: The bytes up to and with the first empty line.
    private static func headLength(_ bytes: ByteBuffer, from start: Int) -> Int? {
        bytes.withUnsafeReadableBytes { all in
            var index = start
            while index + 4 <= all.count {
                if all[index] == UInt8(ascii: "\r"), all[index + 1] == UInt8(ascii: "\n"),
                    all[index + 2] == UInt8(ascii: "\r"), all[index + 3] == UInt8(ascii: "\n")
                {
                    return index + 4
                }
                index += 1
            }
            return nil
        }
    }
}
