/// What a user has to do with topics: the fields of `notif:topics:{user}`.
///
/// A class, so that whoever has nothing to do with topics carries no more than a nil of it.
package final class TopicRecord: Sendable {
    /// His channels, and for each the last id that its stream had given when he subscribed: only newer entries are his.
    package let subscriptions: [Topic: StreamID]
    /// Milliseconds since 1970 at which each was read.
    package let read: [NotificationID: UInt64]
    /// Those that he removed from his inbox.
    package let gone: Set<NotificationID>
    package let marks: InboxMarks
    /// How many fields there are.
    package let size: Int

    /// - Parameter fields: As they are stored; what is not ours is passed over.
    package init(fields: [(name: String, value: String)]) {
        var subscriptions: [Topic: StreamID] = [:]
        var read: [NotificationID: UInt64] = [:]
        var gone: Set<NotificationID> = []
        var marks = InboxMarks()
        for (name, value) in fields {
            if let topic = name.rest(behind: Self.subscription) {
                if let topic = Topic(topic), let id = StreamID(value) { subscriptions[topic] = id }
            } else if let id = name.rest(behind: Self.read) {
                read[NotificationID(String(id))] = UInt64(value) ?? 0
            } else if let id = name.rest(behind: Self.gone) {
                gone.insert(NotificationID(String(id)))
            } else {
                marks.add(field: name, value: value)
            }
        }
        self.subscriptions = subscriptions
        self.read = read
        self.gone = gone
        self.marks = marks
        self.size = fields.count
    }

    /// What each kind of field begins with; the others are those of `InboxMarks`.
    package static let subscription = "sub:"
    package static let read = "read:"
    package static let gone = "gone:"

    /// The notification that a field is about; nil for a subscription.
    package static func notification(field: String) -> NotificationID? {
        guard field.rest(behind: subscription) == nil, let (_, id) = field.halves(at: ":") else { return nil }
        return NotificationID(String(id))
    }

    /// In a fixed order, to be shown.
    package var channels: [String] { subscriptions.keys.map(\.name).sorted() }

    /// Whether an entry of a topic is the user's.
    package func has(_ entry: EntryReference, of topic: Topic) -> Bool {
        guard !gone.contains(entry.notificationID) else { return false }
        if topic == .everybody { return true }
        return subscriptions[topic].map { entry.streamID > $0 } ?? false
    }
}
