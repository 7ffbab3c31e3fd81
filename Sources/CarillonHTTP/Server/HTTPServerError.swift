/// Why the server cannot listen, in a line that can be shown as it is.
package struct HTTPServerError: Error, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        case addressInUse
        case cannotListen
        case listenerClosed
    }

    package let code: Code
    package let description: String
}
