/// Hears what became of the commands that were sent in its name.
///
/// One object may wait for any number of commands; `tag` says which one is meant. It hears of each exactly once, in
/// the order in which they were sent, and never within `send` itself. It may send more from inside either call.
///
/// - Isolation: event loop of the connection.
package protocol RedisReceiver: AnyObject {
    /// The reply, which is never an error as a whole.
    func received(_ reply: RedisReply, tag: Int)
    /// There is no reply, or it is an error (code `.server`).
    func failed(_ error: RedisError, tag: Int)
}

/// Hears how a connection fares.
///
/// - Isolation: event loop of the connection.
package protocol RedisConnectionObserver: AnyObject {
    /// The connection can be used, for the first time or again; `connectionCount` counts it already.
    func connected(_ connection: RedisConnection)
    /// A connection that could be used no longer can; what was outstanding has heard so already.
    func disconnected(_ connection: RedisConnection, error: RedisError)
    /// From the first command of a write of `commands` commands to the reply to its last one; once per write.
    func roundTrip(nanoseconds: Int64, commands: Int)
    /// One command failed: an error reply, or no reply.
    func commandFailed(_ error: RedisError)
}
