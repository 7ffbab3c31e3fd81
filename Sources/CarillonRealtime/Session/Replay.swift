package import CarillonDomain
package import CarillonStore

/// What a device still has to be given before it goes live: a plan without I/O.
///
/// The device's mark is the last id that was written to it, or passed over. While it replays it takes no live push; it goes live
/// in the tick in which its mark has reached everything that the pod has heard of, else it reads on.
package struct Replay: Sendable {
    /// One entry to be shown.
    package struct Item: Hashable, Sendable {
        package let entry: StoredEntry
        package var isRead: Bool
    }

    /// Where a replay begins.
    package enum Start: Sendable {
        /// The last 100 entries, and older ones that are unread.
        case full
        /// Only what is newer.
        case after(StreamID)
    }

    package private(set) var mark: StreamID
    /// The user's unread notifications, as far as the stream was read.
    private var unread: Set<NotificationID> = []
    private var items: ArraySlice<Item> = []
    /// Entries that were read by others while the stream was being read for the first time.
    private var earlyReads: Set<NotificationID> = []
    private var isLoaded = false

    package init() { mark = .zero }

    package var isEmpty: Bool { items.isEmpty }
    package var unreadCount: Int { unread.count }

    /// The newest entries were read: plans what to show of them.
    package mutating func load(_ part: InboxPart, start: Start) {
        isLoaded = true
        let all = part.entries.map { Item(entry: $0, isRead: part.isRead($0) || isEarlyRead($0)) }
        note(all)
        switch start {
        case .full:
            let recent = all.suffix(Limits.replayEntries)
            items = ArraySlice(all.dropLast(recent.count).filter { !$0.isRead } + recent)
            mark = .zero
        case .after(let id):
            items = all[(all.firstIndex { $0.entry.id > id } ?? all.endIndex)...]
            mark = id
        }
        // Entries that are left out count as passed over.
        if let last = all.last, items.isEmpty { mark = max(mark, last.entry.id) }
        earlyReads.removeAll()
    }

    /// Newer entries were read.
    package mutating func append(_ part: InboxPart) {
        let new = part.entries.filter { $0.id > (items.last?.entry.id ?? mark) }
        let added = new.map { Item(entry: $0, isRead: part.isRead($0)) }
        note(added)
        items += added
    }

    /// The next entries to show, oldest first; the mark moves over them when they are written.
    package func page(_ count: Int) -> ArraySlice<Item> { items.prefix(count) }

    /// The first item was written or left out; its state at this moment is the one to show.
    package mutating func advance() -> Item? {
        guard let item = items.popFirst() else { return nil }
        mark = max(mark, item.entry.id)
        return item
    }

    /// The stream was read to its end by a command sent when `newest` was the highest id heard of.
    package mutating func readToEnd(knownWhenSent newest: StreamID) {
        if items.isEmpty { mark = max(mark, newest) }
    }

    /// Somebody read an entry. Whether the device must be told now; if not, its push will say so.
    package mutating func read(_ entry: EntryReference) -> Bool {
        guard isLoaded else {
            earlyReads.insert(entry.notificationID)
            return false
        }
        unread.remove(entry.notificationID)
        if let index = items.firstIndex(where: { $0.entry.id == entry.streamID }) { items[index].isRead = true }
        return entry.streamID <= mark
    }

    /// An entry was told as cleared, and goes.
    package mutating func cleared(_ id: NotificationID) { unread.remove(id) }

    private mutating func note(_ items: [Item]) {
        for item in items where !item.isRead {
            if let id = item.entry.notificationID { unread.insert(id) }
        }
    }

    private func isEarlyRead(_ entry: StoredEntry) -> Bool {
        entry.notificationID.map(earlyReads.contains) ?? false
    }
}
