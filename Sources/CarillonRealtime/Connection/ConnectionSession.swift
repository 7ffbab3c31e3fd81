package import CarillonDomain
package import NIOCore

/// Decides about a device that wants to connect; one for all sockets.
///
/// - Isolation: event loop of the sockets
package protocol ConnectionAcceptor: AnyObject {
    /// Called when the request is a proper one and before anything is written.
    ///
    /// - Parameters:
    ///   - query: What follows `?` in the target, percent-encoded as it came; empty when there is nothing.
    ///   - lastEventID: What an event stream that comes back says it was given last.
    ///   - connection: Not open yet: what is sent before `opened()` is dropped.
    /// - Returns: The device, or the problem that is written as the HTTP response.
    func accept(
        query: String,
        lastEventID: String?,
        connection: DeviceConnection
    ) -> Result<any ConnectionSession, Problem>
}

/// One device, as its socket sees it.
///
/// - Isolation: event loop of the socket
package protocol ConnectionSession: AnyObject {
    /// The request was answered: frames may be sent.
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
package protocol ConnectionObserver: AnyObject {
    func opened(_ transport: Transport)
    /// - Parameter code: What the first close frame said, ours or the peer's; nil when there was none or it had no
    ///   code. An event stream has the code that a WebSocket would have been closed with.
    func closed(_ code: WebSocketCloseCode?)
    /// The request was answered, and that is all.
    func answered(_ transport: Transport, status: Int)
    /// One write to one socket.
    func wrote(frames: Int, bytes: Int)
    /// A device answered no ping; it is being closed.
    func timedOut()
    /// A device that sends too fast is not read from for now.
    func throttled()
}
