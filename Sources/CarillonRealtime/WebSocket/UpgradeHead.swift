import NIOCore

/// A request head that is collected until its empty line.
final class UpgradeHead {
    enum Step {
        case incomplete
        case refused(WebSocketRefusal)
        /// The head, and what came behind it: the first frames.
        case complete(WebSocketUpgrade, rest: ByteBuffer)
    }

    private var bytes = ByteBuffer()

    /// - Parameter limit: Most bytes of a head, its empty line included.
    func append(_ piece: ByteBuffer, limit: Int) -> Step {
        guard bytes.readableBytes > 0 else {
            let step = Self.parse(piece, searched: 0, limit: limit)
            // Copied, not kept: a channel whose read buffer is held gets itself another one, and keeps both for as long
            // as it lives.
            if case .incomplete = step { bytes.writeImmutableBuffer(piece) }
            return step
        }
        // The empty line may have begun in the bytes before, but with no more than three of its four.
        let searched = max(0, bytes.readableBytes - 3)
        bytes.writeImmutableBuffer(piece)
        return Self.parse(bytes, searched: searched, limit: limit)
    }

    private static func parse(_ bytes: ByteBuffer, searched: Int, limit: Int) -> Step {
        guard let count = headLength(bytes, from: searched) else {
            return bytes.readableBytes < limit ? .incomplete : .refused(.headTooLarge(limit: limit))
        }
        guard count <= limit else { return .refused(.headTooLarge(limit: limit)) }
        do throws(WebSocketRefusal) {
            let upgrade = try bytes.withUnsafeReadableBytes { (all) throws(WebSocketRefusal) in
                try WebSocketUpgrade.parse(UnsafeRawBufferPointer(rebasing: all[..<count]))
            }
            return .complete(upgrade, rest: bytes.dropFirst(count))
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

extension ByteBuffer {
    fileprivate func dropFirst(_ count: Int) -> ByteBuffer {
        var rest = self
        rest.moveReaderIndex(forwardBy: count)
        return rest
    }
}
