/// How far the client has been told of the user's own stream and of each topic: what `since` says after a lost connection.
struct StreamPositions {
    private var own: String?
    /// By the topic's name; that of everybody is empty.
    private var topics: [String: String] = [:]

    /// - Parameter ready: The data of `session.ready`.
    init(ready: JSONValue) {
        own = ready["last_stream_id"]?.scalar
        guard case .object(let members) = ready["topics"] else { return }
        for member in members { topics[member.name] = member.value.scalar }
    }

    /// Takes in the stream id of a push.
    mutating func advance(to streamID: String) {
        guard let topic = Self.topic(of: streamID) else { return own = streamID }
        topics[topic] = String(streamID.prefix { $0 != "@" })
    }

    /// The value of `since`.
    var text: String {
        let ids = topics.sorted { $0.key < $1.key }.map { "\($0.value)@\($0.key)" }
        return ((own.map { [$0] } ?? []) + ids).joined(separator: ",")
    }

    /// The topic that a stream id names, empty for everybody; nil for the user's own stream.
    static func topic(of streamID: String) -> String? {
        streamID.firstIndex(of: "@").map { String(streamID[streamID.index(after: $0)...]) }
    }
}
