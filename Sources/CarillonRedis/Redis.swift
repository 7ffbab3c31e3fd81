package import NIOCore

/// Redis as the hub uses it: one server (`RedisConnection`) or a cluster of them (`RedisCluster`).
///
/// What concerns one key is carried out in the order in which it was sent. On one server that holds over all keys; in a cluster
/// it holds over several keys within a lane (`RedisReceiver.lane`), and behind `settled`.
///
/// - Isolation: `eventLoop`
package protocol Redis: AnyObject {
    var eventLoop: any EventLoop { get }
    /// Commands can be sent; in a cluster, those for most keys.
    var isReady: Bool { get }
    /// Why it is not ready, or why it last was not.
    var lastFailure: RedisError? { get }
    /// Keys lie on several servers: a command must not name two of them.
    var isSharded: Bool { get }
    /// The servers that hold keys, in a lasting order; one where nothing is sharded. For commands without a key.
    var nodes: [RedisNode] { get }

    /// The server that has a key; nil while that is not known.
    func node(of key: RedisKey) -> RedisNode?

    /// Connects, now and after every loss. Called once.
    func start()
    /// Waits for the replies to what was sent, then closes for good; with `immediately` it waits for nothing.
    func close(immediately: Bool) -> EventLoopFuture<Void>

    /// Sends one command; `write` writes its arguments and must not send another one.
    ///
    /// The receiver hears `.unavailable` while there is no connection and `.overloaded` at a limit, both in the next
    /// tick; whoever repeats at once then, spins.
    ///
    /// - Parameters:
    ///   - command: Its first word; further words (`CLIENT` `LIST`) are arguments.
    ///   - arguments: How many arguments `write` writes; any other number is a programmer's mistake and traps.
    ///   - receiver: Held until it has heard.
    func send(
        _ command: StaticString,
        arguments: Int,
        to receiver: any RedisReceiver,
        tag: Int,
        _ write: (inout RedisArguments) -> Void
    )

    /// - Parameter node: Where a command without a key goes; nil: anywhere.
    func send(_ command: RedisCommand, to receiver: any RedisReceiver, tag: Int, node: RedisNode?)

    /// Calls back once what was sent of a key so far has taken effect, for commands on other keys that must come after it: at once
    /// on one server, which keeps the order by itself.
    func settled(_ key: RedisKey, _ body: @escaping () -> Void)
}

extension Redis {
    package func send(
        _ command: StaticString,
        arguments: Int,
        to receiver: any RedisReceiver,
        _ write: (inout RedisArguments) -> Void
    ) {
        send(command, arguments: arguments, to: receiver, tag: 0, write)
    }
}

/// A server that holds keys.
package struct RedisNode: Hashable, Comparable, Sendable {
    /// The only server there is.
    package static let single = RedisNode(id: "")

    /// What the cluster calls it; empty where nothing is sharded.
    package let id: String

    package init(id: some StringProtocol) { self.id = String(id) }

    package static func < (left: RedisNode, right: RedisNode) -> Bool { left.id < right.id }
}
