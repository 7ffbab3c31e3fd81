/// Why a connection of a load driver ended without a word of the peer, or what the peer said that it must not say.
package struct LoadError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
