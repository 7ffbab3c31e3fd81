package import CarillonDomain
package import NIOCore

/// Decides about an upgrade; one for all sockets.
///
/// - Isolation: event loop of the sockets
package protocol WebSocketAcceptor: AnyObject {
    /// Called when the request asks properly for a WebSocket and before anything is written.
    ///
    /// - Parameters:
    ///   - query: What follows `?` in the target, percent-encoded as it came; empty when there is nothing.
    ///   - connection: Not open yet: what is sent before `opened()` is dropped.
    /// - Returns: The device, or the problem that is written as the HTTP response.
    func accept(query: String, connection: WebSocketConnection) -> Result<any WebSocketSession, Problem>
}

/// One device, as its socket sees it.
///
/// - Isolation: event loop of the socket
package protocol WebSocketSession: AnyObject {
    /// The handshake was answered: frames may be sent.
    func opened()
    /// One complete text message, valid UTF-8. Not called once `close` was.
    func received(_ message: ByteBuffer)
    /// What was given to `sendBulk` has left, but for what the kernel takes next: time for the next page.
    func drained()
    /// The socket is gone. Exactly once for each session that was accepted, whatever the cause.
    func closed()
}

/// Hears what metrics want to know. Nothing here may throw, block or send.
///
/// - Isolation: event loop of the sockets
package protocol WebSocketObserver: AnyObject {
    func webSocketOpened()
    /// - Parameter code: What the first close frame said, ours or the peer's; nil when there was none or it had no
    ///   code.
    func webSocketClosed(_ code: WebSocketCloseCode?)
    func webSocketRefused(status: Int)
    /// One write to one socket.
    func webSocketWrote(frames: Int, bytes: Int)
    /// A device answered no ping; it is being closed.
    func webSocketTimedOut()
    /// A device that sends too fast is not read from for now.
    func webSocketThrottled()
}
