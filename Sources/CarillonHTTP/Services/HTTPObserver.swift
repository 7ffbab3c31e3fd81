/// Counts what was answered.
///
/// - Isolation: any
package protocol HTTPObserver: Sendable {
    /// The fast path answered a notify request.
    func notifyAnswered(status: Int)
    /// A route answered; what the HTTP parsers refuse is not counted.
    func answered(path: String, status: Int)
}
