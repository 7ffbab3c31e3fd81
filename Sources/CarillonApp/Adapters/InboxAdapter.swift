import CarillonDomain
import CarillonHTTP
import CarillonRealtime
import CarillonStore
import NIOCore

/// The inbox calls: what is stored is changed, then all devices are told, then the call is answered.
struct InboxAdapter: InboxService {
    let pod: PodHandle
    let reader: InboxReader
    let writer: InboxWriter

    func page(
        _ query: InboxQuery,
        of user: User,
        isNews: @Sendable (_ page: InboxPage, _ hasChanged: Bool) -> Bool
    ) async throws(Problem) -> InboxPage {
        guard let wait = query.wait else { return try await page(query, of: user) }
        let deadline = ContinuousClock.now + .seconds(wait)
        return try await pod.watching(user.key) { watcher async throws(Problem) in
            var page = try await page(query, of: user)
            var hasChanged = false
            while !isNews(page, hasChanged), await watcher.changes(before: deadline) {
                page = try await self.page(query, of: user)
                hasChanged = true
            }
            return page
        }
    }

    private func page(_ query: InboxQuery, of user: User) async throws(Problem) -> InboxPage {
        try await Self.stored { () async throws(StoreError) in
            try await reader.page(query.filter, limit: query.limit, from: query.start, of: user.key)
        }
    }

    func count(_ filter: InboxFilter, of user: User) async throws(Problem) -> (count: Int, unread: Int) {
        try await Self.stored { () async throws(StoreError) in try await reader.count(filter, of: user.key) }
    }

    func item(_ id: NotificationID, of user: User) async throws(Problem) -> InboxItem {
        try await state(id, of: user).item
    }

    private func state(_ id: NotificationID, of user: User) async throws(Problem) -> InboxState {
        let found = try await Self.stored { () async throws(StoreError) in try await reader.item(id, of: user.key) }
        guard let found else { throw .notificationNotFound }
        return InboxState(item: found.item, unreadCount: found.unreadCount)
    }

    private func entry(_ id: NotificationID, of user: User) async throws(Problem) -> EntryReference {
        let found = try await Self.stored { () async throws(StoreError) in try await reader.entry(id, of: user.key) }
        guard let found else { throw .notificationNotFound }
        return found
    }

    // MARK: - Changing one

    func read(_ id: NotificationID, at time: UInt64?, of user: User) async throws(Problem) -> InboxState {
        let now = Timestamp.nowMilliseconds()
        try await read([try await entry(id, of: user)], at: min(time ?? now, now), of: user)
        return try await state(id, of: user)
    }

    func change(_ id: NotificationID, _ verb: InboxVerb, of user: User) async throws(Problem) -> InboxState {
        let entry = try await entry(id, of: user)
        let change = try await Self.stored { () async throws(StoreError) in try await store(verb, entry, of: user) }
        await tell(change, of: user)
        return try await state(id, of: user)
    }

    private func store(
        _ verb: InboxVerb,
        _ entry: EntryReference,
        of user: User
    ) async throws(StoreError) -> InboxChange {
        let now = Timestamp.nowMilliseconds()
        switch verb {
        case .unread:
            try await writer.markUnread(entry, of: user)
            return InboxChange(.unread, [entry])
        case .seen:
            try await writer.mark(.seen, [entry], at: now, of: user.key)
            return InboxChange(.seen, [entry])
        case .archive:
            try await writer.mark(.archived, [entry], at: now, of: user.key)
            return InboxChange(.archive, [entry])
        case .unarchive:
            try await writer.unmark(.archived, entry, of: user.key)
            return InboxChange(.unarchive, [entry])
        case .snooze(let until):
            try await writer.snooze(entry, until: until, of: user.key)
            return InboxChange(.snooze, [entry], until: until)
        case .unsnooze:
            try await writer.unmark(.snoozed, entry, of: user.key)
            return InboxChange(.unsnooze, [entry])
        }
    }

    func remove(_ id: NotificationID, of user: User) async throws(Problem) -> Int {
        let entry = try await entry(id, of: user)
        try await remove(entry, .delete, of: user)
        return try await Self.stored { () async throws(StoreError) in try await reader.unreadCount(of: user.key) }
    }

    private func remove(_ entry: EntryReference, _ action: InboxAction, of user: User) async throws(Problem) {
        let isRemoved = try await Self.stored { () async throws(StoreError) in
            try await writer.remove(entry, of: user.key)
        }
        guard isRemoved else { throw .notificationNotFound }
        await tell(InboxChange(action, [entry]), of: user)
    }

    private func tell(_ change: InboxChange, of user: User) async {
        await pod.run { $0.hub.changed(change, of: user.key) }
    }

    // MARK: - Changing all

    func readAll(_ filter: InboxFilter, of user: User) async throws(Problem) -> (updated: Int, unread: Int) {
        var filter = filter
        filter.unreadOnly = true
        let entries = try await entries(filter, of: user)
        for part in InboxChange.parts(.read, entries) {
            try await read(part.entries, at: Timestamp.nowMilliseconds(), of: user)
        }
        return (entries.count, try await unread(of: user))
    }

    func seeAll(_ filter: InboxFilter, of user: User) async throws(Problem) -> (updated: Int, unread: Int) {
        let entries = try await entries(filter, of: user)
        let new = try await Self.stored { () async throws(StoreError) in
            try await writer.mark(.seen, entries, at: Timestamp.nowMilliseconds(), of: user.key)
        }
        for change in InboxChange.parts(.seen, new) { await tell(change, of: user) }
        return (new.count, try await unread(of: user))
    }

    private func entries(_ filter: InboxFilter, of user: User) async throws(Problem) -> [EntryReference] {
        try await Self.stored { () async throws(StoreError) in try await reader.entries(filter, of: user.key) }
    }

    private func unread(of user: User) async throws(Problem) -> Int {
        try await Self.stored { () async throws(StoreError) in try await reader.unreadCount(of: user.key) }
    }

    /// Reads entries as a device does, and keeps the time.
    private func read(_ entries: [EntryReference], at time: UInt64, of user: User) async throws(Problem) {
        let isStored = await pod.ask { (pod, done: @escaping (Bool) -> Void) in
            pod.hub.read(entries, of: user, completion: done)
        }
        guard isStored else { throw .redisAway() }
        try await Self.stored { () async throws(StoreError) in
            try await writer.keepReadTime(entries, at: time, of: user.key)
        }
    }

    // MARK: - What senders ask

    func report(on id: NotificationID) async throws(Problem) -> NotificationReport {
        let (target, expiresAt) = try await target(of: id)
        return NotificationReport(target: target, item: try await item(id, of: target), expiresAt: expiresAt)
    }

    func withdraw(_ id: NotificationID) async throws(Problem) {
        let target = try await target(of: id).user
        try await remove(try await entry(id, of: target), .withdraw, of: target)
    }

    /// Whom a notification is for: its payload tells.
    private func target(of id: NotificationID) async throws(Problem) -> (user: User, expiresAt: UInt64?) {
        let found = try await Self.stored { () async throws(StoreError) in try await reader.target(of: id) }
        guard let found else { throw .notificationNotFound }
        return found
    }

    private static func stored<Value>(
        _ body: () async throws(StoreError) -> Value
    ) async throws(Problem) -> Value {
        do throws(StoreError) {
            return try await body()
        } catch {
            throw .redisAway()
        }
    }
}
