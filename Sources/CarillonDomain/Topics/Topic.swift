/// What a notification for many is sent to: a channel that users subscribe to, or everybody.
package struct Topic: Hashable, Sendable {
    /// Empty for everybody.
    package let name: String

    package static let everybody = Topic(stored: "")

    /// A channel; nil where nothing can be called so.
    package init?(_ name: some StringProtocol) {
        guard Self.isName(name) else { return nil }
        self.name = String(name)
    }

    /// Takes a name as it was stored or sent by a pod.
    package init(stored name: some StringProtocol) { self.name = String(name) }

    package static let nameRule = "must be 1 to \(Limits.channelBytes) printable bytes without spaces, commas and @"

    /// Spaces, commas and `@` are what separates names from one another and from stream ids.
    private static func isName(_ name: some StringProtocol) -> Bool {
        (1...Limits.channelBytes).contains(name.utf8.count) && name.unicodeScalars.allSatisfy(isNameScalar)
    }

    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .spaceSeparator, .lineSeparator, .paragraphSeparator: false
        default: scalar != "," && scalar != "@"
        }
    }

    /// Byte by byte, as Redis compares keys.
    package static func == (left: Topic, right: Topic) -> Bool { left.name.utf8.elementsEqual(right.name.utf8) }
}

/// Where an entry stands: its id in the user's own stream, or in that of a topic. The order of places is the order of things.
package struct EntryPlace: Hashable, Comparable, Sendable {
    package let streamID: StreamID
    /// Nil in the user's own stream.
    package let topic: Topic?

    package init(_ streamID: StreamID, in topic: Topic? = nil) {
        self.streamID = streamID
        self.topic = topic
    }

    /// Parses `1640995200000-0`, or `1640995200000-0@orders`, where the name is empty for everybody.
    package init?(_ text: some StringProtocol) {
        guard let (id, name) = text.halves(at: "@") else {
            guard let id = StreamID(text) else { return nil }
            self.init(id)
            return
        }
        guard let id = StreamID(id), let topic = name.isEmpty ? .everybody : Topic(name) else { return nil }
        self.init(id, in: topic)
    }

    package var text: String { topic.map { "\(streamID)@\($0.name)" } ?? streamID.text }

    package static func < (left: EntryPlace, right: EntryPlace) -> Bool {
        if left.streamID != right.streamID { return left.streamID < right.streamID }
        guard let topic = right.topic else { return false }
        return left.topic.map { $0.name.utf8.lexicographicallyPrecedes(topic.name.utf8) } ?? true
    }
}

/// How far somebody has been told of several streams.
package struct StreamPosition: Equatable, Sendable {
    package var own: StreamID?
    package var topics: [Topic: StreamID] = [:]

    package init(own: StreamID? = nil, topics: [Topic: StreamID] = [:]) {
        self.own = own
        self.topics = topics
    }

    /// Parses places separated by commas, at most one for each stream.
    package init?(_ text: some StringProtocol) {
        let parts = text.parts(at: ",")
        guard parts.count <= Limits.subscriptions + 2 else { return nil }
        for part in parts {
            guard let place = EntryPlace(part) else { return nil }
            if let topic = place.topic {
                guard topics.updateValue(place.streamID, forKey: topic) == nil else { return nil }
            } else {
                guard own == nil else { return nil }
                own = place.streamID
            }
        }
    }

    package var text: String {
        let places = topics.map { EntryPlace($0.value, in: $0.key) } + (own.map { [EntryPlace($0)] } ?? [])
        return places.sorted().map(\.text).joined(separator: ",")
    }

    package var isEmpty: Bool { own == nil && topics.isEmpty }

    /// The newest of the ids.
    package var newest: StreamID { topics.values.reduce(own ?? .zero, max) }
}
