internal import Glibc
package import NIOCore
internal import NIOPosix

/// A channel's socket, for writes that it takes at once.
///
/// A write through the channel passes its pipeline and the queue of pending writes, which takes longer than all else that the pod
/// does for a push. Nearly every socket has room for what it is sent; for those it is enough to send it.
///
/// Two rules are kept here, for whoever uses it: nothing is sent past writes that the channel still has, and nothing once the channel
/// is no longer active, because the descriptor may be another connection's by then.
///
/// - Isolation: the channel's event loop
/// - Source: send(2)
package struct DirectSocket {
    /// Kept here rather than asked for at each write: the way to it through a handler's context and pipeline costs two cache misses.
    private let channel: (any Channel)?
    /// -1 where there is no socket to send to, and everything goes to the channel.
    private let descriptor: CInt
    /// Writes that the channel was given and has not done yet.
    private var channelWrites: Int32 = 0

    private static let flags = CInt(MSG_DONTWAIT | MSG_NOSIGNAL)

    /// Sends nothing: all is left to the channel.
    package static var none: DirectSocket { DirectSocket() }

    private init() {
        channel = nil
        descriptor = -1
    }

    /// The socket of a channel whose pipeline does nothing to what is written; none where the channel has no socket, or has something
    /// to write already. Holds the channel until it is replaced by `none`.
    package init(_ channel: any Channel) {
        let buffered = try? channel.syncOptions?.getOption(.bufferedWritableBytes)
        let pipeline = channel.pipeline.syncOperations
        let descriptor = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
        self.channel = channel
        self.descriptor = buffered == 0 ? descriptor ?? -1 : -1
    }

    /// Whether it belongs to a channel.
    package var isBound: Bool { channel != nil }

    /// Whether the channel has nothing to write, so that it need not be asked for its writability.
    package var isIdle: Bool { descriptor >= 0 && channelWrites == 0 }

    /// Sends what the socket takes at once.
    ///
    /// - Returns: What is left: it must be written to the channel, followed by `channelWrote()`. Nil where nothing is left.
    package mutating func send(_ bytes: ByteBuffer) -> ByteBuffer? {
        var rest = bytes
        if isIdle, channel?.isActive == true {
            let count = sent(bytes)
            if count == bytes.readableBytes { return nil }
            rest.moveReaderIndex(forwardBy: count)
        }
        channelWrites += 1
        return rest
    }

    /// The channel has done a write, or given it up.
    package mutating func channelWrote() { channelWrites -= 1 }

    /// A broken socket takes nothing; the channel finds that out when it is given the rest.
    private func sent(_ bytes: ByteBuffer) -> Int {
        bytes.withUnsafeReadableBytes { bytes in
            // SAFETY: the channel is active, so the descriptor is its own.
            max(0, Glibc.send(descriptor, bytes.baseAddress, bytes.count, Self.flags))
        }
    }
}
