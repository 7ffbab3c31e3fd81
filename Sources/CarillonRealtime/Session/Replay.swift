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
        /// It was removed since: it is passed over. It keeps its place, because its payload may be on its way.
        package var isGone = false
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
    /// Entries that were read by others before they were read from the stream: what a reading in flight says of them is old.
    private var earlyReads: Set<NotificationID> = []
    private var isLoaded = false
    /// What the user did with the entries that were read from the stream.
    package private(set) var marks = InboxMarks()

    package init() { mark = .zero }

    package var isEmpty: Bool { items.isEmpty }
    package var unreadCount: Int { unread.count }
    /// Unread entries that are not going to be shown again.
    package var unseenUnread: [NotificationID] {
        let shown = Set(items.compactMap(\.entry.notificationID))
        return unread.filter { !shown.contains($0) }
    }

    /// The newest entries were read: plans what to show of them.
    package mutating func load(_ part: InboxPart, start: Start) {
        isLoaded = true
        let all = take(part.entries, part)
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
    }

    /// Newer entries were read.
    package mutating func append(_ part: InboxPart) {
        let last = end
        items += take(part.entries.filter { $0.id > last }, part)
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
        guard isLoaded, entry.streamID <= end else {
            earlyReads.insert(entry.notificationID)
            return false
        }
        unread.remove(entry.notificationID)
        if let index = items.firstIndex(where: { $0.entry.id == entry.streamID }) { items[index].isRead = true }
        return entry.streamID <= mark
    }

    /// An entry was told as cleared, and goes.
    package mutating func cleared(_ id: NotificationID) { unread.remove(id) }

    /// Entries were removed by the user or their sender: they are not shown.
    package mutating func remove(_ entries: [EntryReference]) {
        let ids = Set(entries.map(\.streamID))
        for entry in entries { unread.remove(entry.notificationID) }
        for index in items.indices where ids.contains(items[index].entry.id) { items[index].isGone = true }
    }

    /// The last entry that is planned, shown or passed over.
    private var end: StreamID { items.last?.entry.id ?? mark }

    /// Entries as they are to be shown, with what was heard of them meanwhile.
    private mutating func take(_ entries: [StoredEntry], _ part: InboxPart) -> [Item] {
        marks = part.marks
        let now = Timestamp.nowMilliseconds()
        return entries.map { entry in
            let isEarlyRead = entry.notificationID.map { earlyReads.remove($0) != nil } ?? false
            let isRead = part.isRead(entry) || isEarlyRead
            if !isEarlyRead, part.countsAsUnread(entry, at: now), let id = entry.notificationID { unread.insert(id) }
            return Item(entry: entry, isRead: isRead)
        }
    }
}
