/// A connection that speaks HTTP, as the loop's once-a-second round sees it.
///
/// - Isolation: event loop of the server
protocol TimedConnection: AnyObject {
    /// Where the table keeps it; only the table writes this.
    var slot: Int { get set }
    /// When the client last said or took something.
    var activeTick: Int { get }
    /// Bytes of an answer that wait for it to take those before.
    var unreadBytes: Int { get }
    /// A second has passed.
    func ticked(_ tick: Int)
    /// The server is shutting down: close now if idle, else after the request that is under way.
    func drain()
    /// Waiting is over: close now.
    func abort()
}

/// The HTTP connections of one loop. One round over them each second stands in for a timer per socket.
///
/// - Isolation: event loop of the server
final class ConnectionTable {
    private var connections: [any TimedConnection] = []
    /// Called once, as soon as the table is empty.
    private var whenEmpty: (() -> Void)?

    var count: Int { connections.count }
    /// Connections that ever were in the table.
    private(set) var arrivals = 0

    func add(_ connection: any TimedConnection) {
        arrivals += 1
        connection.slot = connections.count
        connections.append(connection)
    }

    func remove(_ connection: any TimedConnection) {
        let slot = connection.slot
        guard slot < connections.count, connections[slot] === connection else { return }
        connections.swapAt(slot, connections.count - 1)
        connections[slot].slot = slot
        connections.removeLast()
        if connections.isEmpty { notifyEmpty() }
    }

    /// Calls `body` on each connection of this moment; it may remove any.
    func forEach(_ body: (any TimedConnection) -> Void) {
        let connections = connections
        for connection in connections { body(connection) }
    }

    func notifyWhenEmpty(_ callback: @escaping () -> Void) {
        whenEmpty = callback
        if connections.isEmpty { notifyEmpty() }
    }

    private func notifyEmpty() {
        let callback = whenEmpty
        whenEmpty = nil
        callback?()
    }
}
