internal import Glibc
package import NIOCore
internal import NIOPosix

/// A channel's socket, for writes that it takes at once.
///
/// A write through the channel passes its pipeline and the queue of pending writes, which takes longer than all else that the pod
/// does for a push. Nearly every socket has room for what it is sent; for those it is enough to send it.
///
/// Whoever uses it keeps two rules: nothing is sent past writes that the channel still has, and nothing once the channel is no
/// longer active, because the descriptor may be another connection's by then.
///
/// - Isolation: the channel's event loop
/// - Source: send(2)
package struct DirectSocket {
    private let descriptor: CInt

    private static let flags = CInt(MSG_DONTWAIT | MSG_NOSIGNAL)

    /// Nil where the channel is no socket, or has something to write already.
    package init?(_ channel: any Channel) {
        guard let options = channel.syncOptions, (try? options.getOption(.bufferedWritableBytes)) == 0 else {
            return nil
        }
        let pipeline = channel.pipeline.syncOperations
        let descriptor = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
        guard let descriptor else { return nil }
        self.descriptor = descriptor
    }

    /// - Returns: The number of bytes that the socket took; 0 also where it is broken, which the channel finds out when it is given
    ///   the rest.
    package func send(_ bytes: ByteBuffer) -> Int {
        bytes.withUnsafeReadableBytes { bytes in
            // SAFETY: the descriptor is the channel's own as long as it is active, which the caller has made sure of.
            max(0, Glibc.send(descriptor, bytes.baseAddress, bytes.count, Self.flags))
        }
    }
}
