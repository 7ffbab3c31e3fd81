/// Hears what became of the commands that were sent in its name.
///
/// One object may wait for any number of commands; `tag` says which one is meant. It hears of each exactly once and never within
/// `send` itself: from one server in the order in which they were sent, from a cluster in that order within each lane. It may send
/// more from inside either call.
///
/// - Isolation: event loop of the connection.
package protocol RedisReceiver: AnyObject {
    /// The reply, which is never an error as a whole.
    func received(_ reply: RedisReply, tag: Int)
    /// There is no reply, or it is an error (code `.server`).
    func failed(_ error: RedisError, tag: Int)
    /// Which of the receiver's commands have to take effect one after the other, also where their keys lie on several servers: those
    /// of one lane. After one that has no reply, the later ones of its lane are not carried out. Nil: each stands for itself.
    func lane(of tag: Int) -> Int?
}

extension RedisReceiver {
    package func lane(of tag: Int) -> Int? { nil }
}

/// Hears how Redis fares.
///
/// - Isolation: event loop of the connection.
package protocol RedisObserver: AnyObject {
    /// Redis can be used, for the first time or again.
    ///
    /// - Parameter isFirst: It had never been used before. Otherwise what was sent may be lost.
    func connected(isFirst: Bool)
    /// A connection that could be used no longer can; what was outstanding has heard so already.
    func disconnected(_ error: RedisError)
    /// From the first command of a write of `commands` commands to the reply to its last one; once per write.
    func roundTrip(nanoseconds: Int64, commands: Int)
    /// One command failed: an error reply, or no reply.
    func commandFailed(_ error: RedisError)
}
