package import CarillonDomain

/// How far a user's live devices on this pod have been told, and what a hint about a new entry means for them.
///
/// Order needs no single writer: an entry is pushed at once only if the one before it is known to have been pushed. Everything
/// else is a gap or a race, and then the stream itself is read from the cursor on. So nothing is lost, repeated or disordered
/// when several pods take posts for one user.
package struct DeliveryCursor: Sendable {
    /// All live devices have been given every entry up to here.
    package private(set) var position: StreamID
    /// The highest id that this pod has heard of.
    package private(set) var newest: StreamID

    package enum HintAction: Equatable, Sendable {
        case push
        /// It was pushed already.
        case drop
        case readStream
    }

    package init(position: StreamID = .zero) {
        self.position = position
        self.newest = position
    }

    /// Entries are known that have not been pushed.
    package var isBehind: Bool { newest > position }

    /// A hint arrived: entry `id` was added right after `predecessor` (nil: unknown).
    package mutating func received(_ id: StreamID, predecessor: StreamID?) -> HintAction {
        guard id > position else { return .drop }
        newest = max(newest, id)
        guard let predecessor, predecessor <= position else { return .readStream }
        position = id
        return .push
    }

    /// An entry was read from the stream; whether it must be pushed.
    package mutating func read(_ id: StreamID) -> Bool {
        guard id > position else { return false }
        position = id
        newest = max(newest, id)
        return true
    }

    /// The stream was read to its end by a command sent when `newest` was the highest id heard of: what is missing is gone.
    package mutating func readToEnd(knownWhenSent newest: StreamID) {
        position = max(position, newest)
        self.newest = max(self.newest, position)
    }

    /// The first device goes live at `id`.
    package mutating func start(at id: StreamID) {
        position = max(position, id)
        newest = max(newest, position)
    }
}
