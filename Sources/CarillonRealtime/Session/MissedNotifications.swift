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

    /// The user's stream was read; what came to his topics is in memory.
    func plan(_ part: InboxPart, _ feeds: [TopicFeed], of inbox: Inbox) {
        replay.load(part, start: .after(since.own ?? since.newest))
        replay.load(part.topics)
        for feed in feeds {
            let start = Replay.Start.after(since.topics[feed.topic] ?? since.newest)
            replay.plan(feed.entries(of: inbox), of: feed.topic, start: start, through: feed.cursor.position)
        }
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
