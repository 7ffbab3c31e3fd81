import CarillonDomain
import CarillonStore
import NIOCore

/// The answer to one `requestMissedNotifications`: planned as a replay is, and shown a page at a time.
///
/// It shows all that came since, whatever the connection was given before, and it clears nothing: what has expired is left out.
///
/// - Isolation: the event loop
final class MissedNotifications {
    private let since: StreamPosition
    private var replay = Replay()

    init(since: StreamPosition) { self.since = since }

    /// The user's stream was read.
    func plan(_ part: InboxPart) {
        replay.load(part, start: .after(since.own ?? since.newest))
        replay.load(part.topics)
    }

    /// What came to a topic of his, oldest first, joins what is planned.
    func plan(_ entries: some Sequence<EntryReference>, of topic: Topic, through end: StreamID) {
        replay.plan(entries, of: topic, start: .after(since.topics[topic] ?? since.newest), through: end)
    }

    var isEmpty: Bool { replay.isEmpty }

    func page(_ count: Int) -> ArraySlice<Replay.Item> { replay.page(count) }

    /// The next entry as a push; nil where it is gone or its payload has expired.
    func next(_ payload: ByteBuffer?) -> DeviceFrame? {
        guard let item = replay.advance(), !item.isGone, let entry = item.entry.reference,
            let content = payload.flatMap({ NotificationContent(payload: $0, streamID: entry.streamID) })
        else { return nil }
        return DeviceFrame {
            ServerFrame.writePush(entry, content, item.isRead ? .read : .unread, of: item.topic, into: &$0)
        }
    }

    /// Nothing more of it can be shown.
    func clear() { replay = Replay() }

    // MARK: - What happens meanwhile

    func read(_ entry: EntryReference) { _ = replay.read(entry) }

    func read(_ read: TopicReference) { _ = replay.read(read) }

    func remove(_ entries: [EntryReference], of topic: Topic?) { replay.remove(entries, of: topic) }
}

@available(*, unavailable)
extension MissedNotifications: Sendable {}
