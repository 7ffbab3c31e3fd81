package import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// What an inbox has to do with topics; there is none where the user has no subscriptions.
final class InboxTopics {
    fileprivate(set) var feeds: [Topic: TopicFeed] = [:]
    /// Reads that all devices here were told of, so that a re-reading does not repeat them.
    fileprivate var toldReads: Set<NotificationID> = []
    fileprivate var keptAt = NIODeadline.now()
}

/// The topics that somebody on this pod listens to.
///
/// - Isolation: the event loop
package final class TopicDirectory {
    private unowned let hub: Hub
    private(set) var feeds: [Topic: TopicFeed] = [:]
    let everybody: TopicFeed
    private(set) lazy var receipts = TopicReceipts(hub: hub)
    private var round: ArraySlice<TopicFeed> = []
    private var share = EvenShare()

    private static let toldReadsKept = 1_000
    private static let keptFor = TimeAmount.hours(24)

    init(hub: Hub) {
        self.hub = hub
        everybody = TopicFeed(.everybody, hub: hub)
        feeds[.everybody] = everybody
    }

    // MARK: - Who listens to what

    /// The user's subscriptions as they stand in Redis; nil: none.
    func update(_ inbox: Inbox, _ record: TopicRecord?) {
        let subscriptions = record?.subscriptions ?? [:]
        if subscriptions.isEmpty, inbox.topics == nil { return }
        let topics = inbox.topics ?? InboxTopics()
        let left = topics.feeds.keys.filter { subscriptions[$0] == nil }
        for topic in left { leave(topic, inbox, topics) }
        inbox.topics = subscriptions.isEmpty ? nil : topics
        for (topic, since) in subscriptions {
            if let feed = topics.feeds[topic] {
                feed.renew(inbox, since: since)
            } else {
                let feed = feed(topic)
                topics.feeds[topic] = feed
                feed.join(inbox, since: since)
            }
        }
        // A device may have waited for what is no business of its user any more.
        if !left.isEmpty { inbox.topicsSettled() }
    }

    private func feed(_ topic: Topic) -> TopicFeed {
        if let feed = feeds[topic] { return feed }
        let feed = TopicFeed(topic, hub: hub)
        feeds[topic] = feed
        return feed
    }

    private func leave(_ topic: Topic, _ inbox: Inbox, _ topics: InboxTopics) {
        guard let feed = topics.feeds.removeValue(forKey: topic) else { return }
        for device in inbox.devices { device.left(topic, feed.entries(of: inbox)) }
        feed.leave(inbox)
        if feed.listeners.isEmpty { feeds[topic] = nil }
    }

    /// Nobody needs the inbox any more.
    func closed(_ inbox: Inbox) {
        guard let topics = inbox.topics else { return }
        for topic in topics.feeds.keys { leave(topic, inbox, topics) }
        inbox.topics = nil
    }

    /// A device has connected, and this is what Redis knows of its user: the same as `whenLoaded` besides.
    func connected(_ inbox: Inbox, _ record: TopicRecord?, _ completion: @escaping (Bool) -> Void) {
        update(inbox, record)
        if record != nil { hub.store.keepTopics(of: inbox.key) }
        whenLoaded(inbox, completion)
    }

    /// Somebody waits for news of the user: calls back when what comes to his topics is heard of here.
    package func watch(_ user: UserKey, completion: @escaping (Bool) -> Void) {
        reload(user, telling: false) { [self] record in
            guard record != nil, let inbox = hub.inboxes[user] else { return completion(false) }
            whenLoaded(inbox, completion)
        }
    }

    /// Calls back when all that the inbox listens to is in memory, with false where Redis is away.
    func whenLoaded(_ inbox: Inbox, _ completion: @escaping (Bool) -> Void) {
        let missing = everybody.isLoaded ? inbox.topics?.feeds.values.first { !$0.isLoaded } : everybody
        guard let missing else { return completion(true) }
        missing.whenLoaded { [self] isLoaded in
            if isLoaded { whenLoaded(inbox, completion) } else { completion(false) }
        }
    }

    /// Calls back when the pod has heard of all that a device was told of the user's topics, with false where Redis is away.
    func catchUp(_ inbox: Inbox, to positions: [Topic: StreamID], _ completion: @escaping (Bool) -> Void) {
        guard !positions.isEmpty else { return completion(true) }
        var rest = feeds(of: inbox)[...]
        func next(_ isDone: Bool) {
            guard isDone, let feed = rest.popFirst() else { return completion(isDone) }
            feed.catchUp(to: positions[feed.topic] ?? .zero, next)
        }
        next(true)
    }

    /// A device may go live.
    func isSettled(_ inbox: Inbox) -> Bool {
        everybody.isLoaded && (inbox.topics?.feeds.values.allSatisfy { $0.isSettled(inbox) } ?? true)
    }

    /// The feeds that an inbox listens to.
    func feeds(of inbox: Inbox) -> [TopicFeed] { [everybody] + (inbox.topics.map { Array($0.feeds.values) } ?? []) }

    /// Those of them that ever held anything; for most users there is none, and then nothing is made.
    func feedsInUse(of inbox: Inbox) -> [TopicFeed] {
        if inbox.topics == nil, everybody.cursor.position == .zero { return [] }
        return feeds(of: inbox).filter { $0.cursor.position > .zero }
    }

    /// How far the live devices of an inbox have been told; topics that never held anything are left out.
    func positions(of inbox: Inbox) -> [Topic: StreamID] {
        var positions: [Topic: StreamID] = [:]
        if everybody.cursor.position > .zero { positions[.everybody] = everybody.cursor.position }
        for (topic, feed) in inbox.topics?.feeds ?? [:] {
            let position = feed.position(of: inbox)
            if position > .zero { positions[topic] = position }
        }
        return positions
    }

    // MARK: - Subscriptions

    package enum SubscribeResult: Sendable {
        case done(channels: [String])
        case tooMany
        case unavailable
    }

    package func subscribe(_ user: UserKey, to topics: [Topic], completion: @escaping (SubscribeResult) -> Void) {
        hub.store.subscribe(user, to: topics) { [self] result in
            switch result {
            case .success(true): changed(user, completion)
            case .success(false): completion(.tooMany)
            case .failure: completion(.unavailable)
            }
        }
    }

    package func unsubscribe(_ user: UserKey, from topics: [Topic], completion: @escaping (SubscribeResult) -> Void) {
        hub.store.unsubscribe(user, from: topics) { [self] isDone in
            if isDone { changed(user, completion) } else { completion(.unavailable) }
        }
    }

    /// It is stored: tells all devices, here and on other pods.
    private func changed(_ user: UserKey, _ completion: @escaping (SubscribeResult) -> Void) {
        reload(user) { record in
            completion(record.map { .done(channels: $0?.channels ?? []) } ?? .unavailable)
        }
        guard !hub.pods.isAlone else { return }
        hub.store.otherPods(of: user) { [hub] pods in hub.bus.send(.subscriptionsChanged(user), to: pods) }
    }

    /// Looks the user's subscriptions up and tells his devices here.
    func reload(_ user: UserKey, telling: Bool = true, completion: @escaping (TopicRecord??) -> Void = { _ in }) {
        hub.store.topicRecord(of: user) { [self] result in
            guard case .success(let record) = result else { return completion(nil) }
            if let inbox = hub.inboxes[user] {
                update(inbox, record)
                if telling { tellSubscriptions(inbox, record) }
            }
            completion(.some(record))
        }
    }

    private func tellSubscriptions(_ inbox: Inbox, _ record: TopicRecord?) {
        var frame = DeviceFrame { ServerFrame.writeSubscriptions(record?.channels ?? [], into: &$0) }
        for device in inbox.devices { device.toldSubscriptions(&frame) }
        // What came to a channel that was left is the user's no longer.
        inbox.wakeWatches()
        inbox.countMayHaveChanged()
    }

    // MARK: - What happened to entries

    /// An entry was added, by this pod or another.
    func published(_ entry: EntryReference, predecessor: StreamID?, content: NotificationContent?, to topic: Topic) {
        feeds[topic]?.hint(entry, predecessor: predecessor, content: content)
    }

    /// An entry was taken back: tells everybody, here and on other pods.
    package func withdraw(_ entry: EntryReference, _ action: InboxAction, of topic: Topic) {
        feeds[topic]?.withdrawn(entry, action)
        hub.bus.send(.withdrawn(topic, action, entry), to: Array(hub.pods.others))
    }

    /// Stores reads, and tells all devices of the user.
    ///
    /// - Parameter completion: Whether Redis confirmed it.
    package func read(
        _ entries: [TopicReference],
        of user: UserKey,
        at time: UInt64,
        completion: @escaping (Bool) -> Void
    ) {
        hub.store.markRead(entries, of: user, at: time) { [self] new in
            guard let new else { return completion(false) }
            hub.metrics.notificationsAcked.increment(by: new.count)
            for read in new { receipts.read(read) }
            for read in entries { tellRead(read, of: user) }
            if !hub.pods.isAlone {
                hub.store.otherPods(of: user) { [hub] pods in
                    for read in entries { hub.bus.send(.topicRead(user, read), to: pods) }
                }
            }
            completion(true)
        }
    }

    func tellRead(_ read: TopicReference, of user: UserKey) {
        guard let inbox = hub.inboxes[user] else { return }
        if let topics = inbox.topics, topics.toldReads.count < Self.toldReadsKept {
            topics.toldReads.insert(read.entry.notificationID)
        }
        inbox.tellRead(read)
    }

    // MARK: - Recovery

    /// Something may have been missed.
    func resync() {
        for feed in feeds.values { feed.check() }
    }

    /// The user's record was read again.
    func resync(_ inbox: Inbox, _ record: TopicRecord?) {
        let before = Set(inbox.topics?.feeds.keys ?? [:].keys)
        update(inbox, record)
        if before != Set(inbox.topics?.feeds.keys ?? [:].keys) { tellSubscriptions(inbox, record) }
        guard let record, !record.read.isEmpty else { return }
        for feed in feeds(of: inbox) {
            for entry in feed.entries where record.read[entry.notificationID] != nil {
                let read = TopicReference(feed.topic, entry)
                if inbox.topics?.toldReads.contains(entry.notificationID) != true { tellRead(read, of: inbox.key) }
            }
        }
    }

    /// The user has a device here: what is known of him and topics lives on, said once a day.
    func keep(_ inbox: Inbox) {
        guard let topics = inbox.topics, NIODeadline.now() - topics.keptAt > Self.keptFor else { return }
        topics.keptAt = .now()
        hub.store.keepTopics(of: inbox.key)
    }

    /// Writes what waits to be written.
    func flush() {
        receipts.write()
    }

    /// Looks at the next feeds; in `ticks` calls at all of them.
    func checkSome(ticks: Int) {
        if round.isEmpty { round = ArraySlice(Array(feeds.values)) }
        let count = share.next(of: feeds.count, in: ticks)
        for feed in round.prefix(count) where feed.topic == .everybody || !feed.listeners.isEmpty { feed.check() }
        round = round.dropFirst(count)
    }
}

@available(*, unavailable)
extension TopicDirectory: Sendable {}
