/// How a tool ends, as its exit code.
///
/// - Source: sysexits.h for 64, 69 and 76
package enum ToolStatus: Int32, Sendable {
    case success = 0
    /// The server did not accept everything.
    case failure = 1
    /// Time was up before everything had come.
    case timeout = 3
    case usage = 64
    /// The server cannot be reached.
    case unavailable = 69
    /// The server answers, but refuses or speaks another protocol.
    case protocolError = 76
}

package enum ToolVersion {
    package static let text = "0.1.0"
}
