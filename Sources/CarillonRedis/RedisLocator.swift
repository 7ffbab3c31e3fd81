/// Says where the primary is that a connection leads to.
///
/// - Isolation: event loop of the connection
package protocol RedisLocator: AnyObject {
    /// Nil while that is not known.
    var endpoint: RedisConfiguration.Endpoint? { get }
    /// Tells the connection, which is held weakly, when the endpoint changes.
    func add(_ connection: RedisConnection)
}
