/// Something that the hub must not do, seen in a run.
package struct Finding: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case notDelivered = "not delivered"
        case notStored = "not stored"
        case repeated = "repeated on a connection"
        case disordered = "out of order"
        case late = "late"
        case storedTwice = "stored twice"
        case unexpected = "pushed or stored, but never posted"
        case payloadLost = "payload lost"
        case readLost = "read lost"
        case readUnanswered = "read not answered"
        case readPending = "read but pending"
        case badAnswer = "answer that is not allowed"
        case badConnection = "connection lost without a fault"
        case notBack = "device not back"
        case badReplay = "replay that differs from the stream"
        case badList = "list that differs from the streams"
        case subscription = "not as subscribed"
        /// For the world around the load: a pod that ended by itself.
        case podEnded = "pod ended by itself"
        /// For the world around the load: what must hold through a fault did not, such as an exit in good order.
        case promiseBroken = "promise broken"
    }

    package let kind: Kind
    package let text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}

/// Findings as they come in: all are counted, the first ones are kept in words.
package struct Findings: Sendable {
    /// Words kept, so that a run in which everything fails does not fill the memory.
    private static let kept = 500

    package private(set) var list: [Finding] = []
    package private(set) var counts: [Finding.Kind: Int] = [:]

    package init() {}

    package var isEmpty: Bool { counts.isEmpty }

    package func count(_ kind: Finding.Kind) -> Int { counts[kind] ?? 0 }

    package mutating func add(_ kind: Finding.Kind, _ text: @autoclosure () -> String) {
        counts[kind, default: 0] += 1
        if list.count < Self.kept { list.append(Finding(kind, text())) }
    }

    package mutating func add(_ other: Findings) {
        counts.merge(other.counts, uniquingKeysWith: +)
        list += other.list.prefix(max(0, Self.kept - list.count))
    }
}
