/// What a raw client of these tests met instead of what it waited for.
package enum WireError: Error, CustomStringConvertible {
    /// Nothing more came before the deadline; what was waited for.
    case timedOut(String)
    /// The peer closed the TCP connection; what was waited for.
    case closed(String)
    /// A system call failed with this errno.
    case system(String, Int32)
    /// The peer broke the protocol, or sent something other than what the test expects next.
    case unexpected(String)
    /// The WebSocket was closed with this code and reason while a message was waited for.
    case closedWith(Int?, String)

    package var description: String {
        switch self {
        case .timedOut(let what): "timed out waiting for \(what)"
        case .closed(let what): "connection closed while waiting for \(what)"
        case .system(let call, let code): "\(call) failed with errno \(code)"
        case .unexpected(let what): "unexpected: \(what)"
        case .closedWith(let code, let reason): "WebSocket closed with \(code.map(String.init) ?? "no code") \(reason)"
        }
    }
}
