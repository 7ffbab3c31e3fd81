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
            var (hasChanged, isOver) = (false, false)
            while true {
                // What is no news is let go before the next is waited for: it may be long.
                let page = try await page(query, of: user, where: { isOver || isNews($0, hasChanged) })
                if let page { return page }
                isOver = await !watcher.changes(before: deadline)
                hasChanged = hasChanged || !isOver
            }
        }
    }

    /// Nil where the condition does not hold.
    private func page(
        _ query: InboxQuery,
        of user: User,
        where condition: (InboxPage) -> Bool
    ) async throws(Problem) -> InboxPage? {
        let page = try await page(query, of: user)
        return condition(page) ? page : nil
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

    private func row(_ id: NotificationID, of user: User) async throws(Problem) -> InboxRow {
        let found = try await Self.stored { () async throws(StoreError) in try await reader.row(id, of: user.key) }
        guard let found else { throw .notificationNotFound }
        return found
    }

    // MARK: - Changing one

    func read(_ id: NotificationID, at time: UInt64?, of user: User) async throws(Problem) -> InboxState {
        let now = Timestamp.nowMilliseconds()
        let row = try await row(id, of: user)
        try await read([row.entry], ofTopic: row.topic, at: min(time ?? now, now), of: user)
        return try await state(id, of: user)
    }

    func change(_ id: NotificationID, _ verb: InboxVerb, of user: User) async throws(Problem) -> InboxState {
        let row = try await row(id, of: user)
        let change: InboxChange
        if let topic = row.topic {
            change = try await topics.change(TopicReference(topic, row.entry), verb, of: user)
        } else {
            change = try await Self.stored { () async throws(StoreError) in try await store(verb, row.entry, of: user) }
        }
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
        let row = try await row(id, of: user)
        if let topic = row.topic {
            await tell(try await topics.hide(TopicReference(topic, row.entry), of: user), of: user)
        } else {
            try await remove(row.entry, .delete, of: user)
        }
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
        let rows = try await rows(filter, of: user)
        for part in Self.parts(.read, rows) {
            try await read(part.entries, ofTopic: part.topic, at: Timestamp.nowMilliseconds(), of: user)
        }
        return (rows.count, try await unread(of: user))
    }

    func seeAll(_ filter: InboxFilter, of user: User) async throws(Problem) -> (updated: Int, unread: Int) {
        let now = Timestamp.nowMilliseconds()
        var updated = 0
        for part in Self.parts(.seen, try await rows(filter, of: user)) {
            let new = try await Self.stored { () async throws(StoreError) in
                try await part.topic == nil
                    ? writer.mark(.seen, part.entries, at: now, of: user.key)
                    : writer.mark(.seen, ofTopics: part.entries, at: now, of: user.key)
            }
            updated += new.count
            for change in InboxChange.parts(.seen, new, of: part.topic) { await tell(change, of: user) }
        }
        return (updated, try await unread(of: user))
    }

    /// A change of these rows, in parts of one stream each.
    private static func parts(_ action: InboxAction, _ rows: [InboxRow]) -> [InboxChange] {
        let streams = Dictionary(grouping: rows, by: \.topic)
        return streams.flatMap { topic, rows in InboxChange.parts(action, rows.map(\.entry), of: topic) }
    }

    private func rows(_ filter: InboxFilter, of user: User) async throws(Problem) -> [InboxRow] {
        try await Self.stored { () async throws(StoreError) in try await reader.entries(filter, of: user.key) }
    }

    private func unread(of user: User) async throws(Problem) -> Int {
        try await Self.stored { () async throws(StoreError) in try await reader.unreadCount(of: user.key) }
    }

    /// Reads entries as a device does, and keeps the time.
    private func read(
        _ entries: [EntryReference],
        ofTopic topic: Topic?,
        at time: UInt64,
        of user: User
    ) async throws(Problem) {
        if let topic {
            let reads = entries.map { TopicReference(topic, $0) }
            return await tell(try await topics.read(reads, at: time, of: user), of: user)
        }
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
        let (audience, expiresAt) = try await audience(of: id)
        switch audience {
        case .user(let user):
            let item = try await item(id, of: user)
            return .ofUser(UserReport(target: user, item: item, expiresAt: expiresAt))
        case .topic(let topic): return .ofTopic(try await topics.report(on: id, of: topic, expiresAt: expiresAt))
        }
    }

    func withdraw(_ id: NotificationID) async throws(Problem) {
        switch try await audience(of: id).audience {
        case .user(let user): try await remove(try await row(id, of: user).entry, .withdraw, of: user)
        case .topic(let topic): try await topics.withdraw(id, of: topic)
        }
    }

    /// Whom a notification is for: its payload tells.
    private func audience(
        of id: NotificationID
    ) async throws(Problem) -> (audience: NotificationAudience, expiresAt: UInt64?) {
        let found = try await Self.stored { () async throws(StoreError) in try await reader.audience(of: id) }
        guard let found else { throw .notificationNotFound }
        return found
    }

    // MARK: - Channels

    func channels(of user: User) async throws(Problem) -> [String] {
        try await Self.stored { () async throws(StoreError) in try await reader.channels(of: user.key) }
    }

    func subscribe(_ user: User, to topic: Topic) async throws(Problem) -> [String] {
        try await topics.subscribe(user, to: topic)
    }

    func unsubscribe(_ user: User, from topic: Topic) async throws(Problem) -> [String] {
        try await topics.unsubscribe(user, from: topic)
    }

    // MARK: - Retention

    func retention(of user: User) async throws(Problem) -> Int {
        try await Self.stored { () async throws(StoreError) in try await reader.retentionDays(of: user.key) }
    }

    func setRetention(_ days: Int, of user: User) async throws(Problem) {
        let isStored = await pod.ask { (pod, done: @escaping (Bool) -> Void) in
            pod.hub.store.setRetention(days: days, of: user.key, completion: done)
        }
        guard isStored else { throw .redisAway() }
    }

    private var topics: TopicAdapter { TopicAdapter(pod: pod, reader: reader, writer: writer) }

    static func stored<Value>(
        _ body: () async throws(StoreError) -> Value
    ) async throws(Problem) -> Value {
        do throws(StoreError) {
            return try await body()
        } catch {
            throw .redisAway()
        }
    }
}
