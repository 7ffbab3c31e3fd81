/// Why `--dev` could not start a redis-server, as one line for the operator.
package struct DevError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
