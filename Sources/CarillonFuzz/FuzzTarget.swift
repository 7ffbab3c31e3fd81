/// A parser under attack: what bytes are given to, and what must hold whatever they are.
///
/// The properties are plain functions of bytes. `carillon-fuzz` has libFuzzer invent the bytes, and the tests replay those that are
/// kept in `Tests/Fuzz`.
package struct FuzzTarget: Sendable {
    package let name: String
    /// Longer inputs find nothing that shorter ones do not, and cost executions.
    package let longestInput: Int
    /// Throws a `Finding` where a property does not hold.
    package let check: @Sendable (UnsafeRawBufferPointer) throws -> Void

    init(_ name: String, longestInput: Int, check: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void) {
        self.name = name
        self.longestInput = longestInput
        self.check = check
    }

    package static let all = [
        FuzzTarget("websocket", longestInput: 1_024, check: WebSocketFrames.check),
        FuzzTarget("handshake", longestInput: 1_024, check: WebSocketHandshake.check),
        FuzzTarget("server-frames", longestInput: 1_024, check: ServerBytes.check),
        FuzzTarget("http", longestInput: 1_024) { _ = try HTTPFastPath.check($0) },
        FuzzTarget("json", longestInput: 1_024, check: JSONDocuments.check),
        FuzzTarget("messages", longestInput: 1_024, check: JSONMessages.check),
        FuzzTarget("redis", longestInput: 1_024, check: RedisReplies.check),
        FuzzTarget("texts", longestInput: 512, check: Texts.check),
        FuzzTarget("bus", longestInput: 8_192, check: BusEntries.check),
    ]
}

/// A property that does not hold.
package struct Finding: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// - Throws: A `Finding` where `holds` is false.
func require(_ holds: Bool, _ description: @autoclosure () -> String) throws {
    if !holds { throw Finding(description()) }
}

/// Bytes as a person can read them.
func shown(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
