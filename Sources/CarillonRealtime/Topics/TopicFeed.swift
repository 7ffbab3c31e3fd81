import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// One user who listens to a topic on this pod.
final class TopicListener {
    let inbox: Inbox
    /// Only newer entries are his.
    fileprivate(set) var since: StreamID
    /// His live devices have been told everything up to here.
    fileprivate(set) var mark: StreamID
    /// His live devices are as far as the feed. Until then no device of his goes live.
    fileprivate(set) var isSettled = false
    fileprivate var isSettling = false

    fileprivate init(_ inbox: Inbox, since: StreamID) {
        self.inbox = inbox
        self.since = since
        mark = since
    }
}

/// A topic that somebody on this pod listens to: its last entries, and how far the live devices have been told.
///
/// All live devices of all its listeners stand at the cursor. So a push needs no look at any of them, and a device that connects takes
/// from memory what it lacks and goes live in the tick in which it has reached the cursor.
///
/// - Isolation: the event loop
final class TopicFeed {
    let topic: Topic
    private unowned let hub: Hub
    private(set) var cursor = DeliveryCursor()
    /// The last entries up to the cursor, oldest first.
    private(set) var entries: [EntryReference] = []
    /// Empty for everybody's: all inboxes of the pod listen to that.
    private(set) var listeners: [ObjectIdentifier: TopicListener] = [:]
    private(set) var isLoaded = false
    private var isLoading = false
    private var isReading = false
    /// Counts the histories of the stream that this pod knew; what was asked of an earlier one is of no use.
    private var history = 0
    private var waiting: [(Bool) -> Void] = []
    /// Devices that were told more, elsewhere, than this pod has heard of.
    private var ahead: [(id: StreamID, completion: () -> Void)] = []

    private static let readCount = 100
    private static let pageSize = 32

    init(_ topic: Topic, hub: Hub) {
        self.topic = topic
        self.hub = hub
    }

    /// Calls back when the last entries are known, with false where Redis is away.
    func whenLoaded(_ completion: @escaping (Bool) -> Void) {
        guard !isLoaded else { return completion(true) }
        waiting.append(completion)
        load()
    }

    private func load() {
        guard !isLoading, !isLoaded else { return }
        isLoading = true
        hub.store.read(topic) { [self] result in
            isLoading = false
            switch result {
            case .success(let part): loaded(part.entries, lastID: part.lastID)
            // Whatever stands at the key, it is no stream of ours.
            case .failure(let error) where error.code == .refused: loaded([], lastID: .zero)
            case .failure: break
            }
            let waiting = waiting
            self.waiting = []
            for completion in waiting { completion(isLoaded) }
        }
    }

    private func loaded(_ stored: [StoredEntry], lastID: StreamID) {
        entries = stored.compactMap(\.reference)
        cursor.start(at: max(lastID, stored.last?.id ?? .zero))
        isLoaded = true
        for listener in listeners.values { settle(listener) }
        if cursor.isBehind { readStream() }
    }

    // MARK: - Listeners

    func join(_ inbox: Inbox, since: StreamID) {
        let listener = TopicListener(inbox, since: since)
        listeners[ObjectIdentifier(inbox)] = listener
        whenLoaded { [weak self, weak listener] isLoaded in
            if isLoaded, let self, let listener { settle(listener) }
        }
    }

    /// He may have unsubscribed and subscribed again without this pod's hearing of it.
    func renew(_ inbox: Inbox, since: StreamID) {
        guard let listener = listeners[ObjectIdentifier(inbox)], since > listener.since else { return }
        listener.since = since
        listener.mark = max(listener.mark, since)
    }

    func leave(_ inbox: Inbox) {
        listeners[ObjectIdentifier(inbox)] = nil
        // Nobody reads on for those who came with it.
        if listeners.isEmpty, topic != .everybody { releaseAhead(upTo: .max) }
    }

    /// How far the live devices of an inbox have been told.
    func position(of inbox: Inbox) -> StreamID {
        guard let listener = listeners[ObjectIdentifier(inbox)], !listener.isSettled else { return cursor.position }
        return listener.mark
    }

    func isSettled(_ inbox: Inbox) -> Bool {
        isLoaded && (topic == .everybody || listeners[ObjectIdentifier(inbox)]?.isSettled == true)
    }

    /// Gives the live devices of a listener who is new here what came since he subscribed.
    private func settle(_ listener: TopicListener) {
        guard !listener.isSettled, !listener.isSettling, listeners[ObjectIdentifier(listener.inbox)] === listener else {
            return
        }
        let missing = listener.inbox.hasLiveDevice ? entries(after: listener.mark).prefix(Self.pageSize) : []
        guard let last = missing.last else {
            listener.isSettled = true
            return listener.inbox.topicsSettled()
        }
        let history = history
        listener.isSettling = true
        hub.store.payloads(of: missing.map(\.notificationID)) { [self] result in
            listener.isSettling = false
            // He may have left meanwhile, and be told that he has.
            guard case .success(let payloads) = result, history == self.history,
                listeners[ObjectIdentifier(listener.inbox)] === listener
            else { return }
            for (entry, payload) in zip(missing, payloads) {
                guard let content = payload.flatMap({ NotificationContent(payload: $0, streamID: entry.streamID) })
                else {
                    continue
                }
                var frame = frame(entry, content)
                let devices = listener.inbox.devices.count { $0.pushTopic(&frame) }
                if devices > 0 { hub.topics.receipts.given(entry.notificationID, of: topic, to: devices) }
            }
            listener.mark = last.streamID
            settle(listener)
        }
    }

    /// The entries that are a user's.
    func entries(of inbox: Inbox) -> ArraySlice<EntryReference> {
        topic == .everybody ? entries[...] : entries(after: listeners[ObjectIdentifier(inbox)]?.since ?? .max)
    }

    private func entries(after id: StreamID) -> ArraySlice<EntryReference> {
        entries[(entries.firstIndex { $0.streamID > id } ?? entries.endIndex)...]
    }

    func entry(_ entry: EntryReference) -> EntryReference? {
        entries.last { $0.streamID == entry.streamID && $0.notificationID == entry.notificationID }
    }

    /// Those who are told of an entry.
    private func inboxes(of id: StreamID) -> [Inbox] {
        if topic == .everybody { return Array(hub.inboxes.values) }
        return listeners.values.compactMap { $0.isSettled && $0.since < id ? $0.inbox : nil }
    }

    // MARK: - Pushing

    /// A hint says that an entry was added; pushes it if nothing lies between, else reads the stream.
    func hint(_ entry: EntryReference, predecessor: StreamID?, content: NotificationContent?) {
        let action = cursor.received(entry.streamID, predecessor: isLoaded && content != nil ? predecessor : nil)
        guard isLoaded else { return }
        switch action {
        case .drop:
            hub.metrics.duplicatesSuppressed.increment()
        case .push:
            if let content { push(entry, content) }
        case .readStream:
            hub.metrics.gapsFound.increment()
            readStream()
        }
    }

    /// A device says that it was told of `id`. Calls back when the feed is as far, or the topic never gave such an id; with false where
    /// Redis is away.
    func catchUp(to id: StreamID, _ completion: @escaping (Bool) -> Void) {
        guard id > cursor.position else { return completion(true) }
        let history = history
        hub.store.lastGeneratedID(of: topic) { [self] result in
            guard case .success(let last) = result else { return completion(false) }
            guard let last, id <= last, history == self.history else { return completion(true) }
            ahead.append((id, { completion(true) }))
            heardOf(last)
            releaseAhead(upTo: cursor.position)
        }
    }

    private func releaseAhead(upTo id: StreamID) {
        let reached = ahead.filter { $0.id <= id }
        ahead.removeAll { $0.id <= id }
        for one in reached { one.completion() }
    }

    private func heardOf(_ id: StreamID) {
        if cursor.received(id, predecessor: nil) == .readStream { readStream() }
    }

    private func frame(_ entry: EntryReference, _ content: NotificationContent) -> DeviceFrame {
        DeviceFrame(id: entry.streamID) { ServerFrame.writePush(entry, content, .unread, of: topic, into: &$0) }
    }

    private func push(_ entry: EntryReference, _ content: NotificationContent) {
        keep(entry)
        var frame = frame(entry, content)
        var pushed = 0
        for inbox in inboxes(of: entry.streamID) {
            inbox.wakeWatches()
            var devices = 0
            for device in inbox.devices where device.pushTopic(&frame) { devices += 1 }
            if devices > 0 { inbox.countMayHaveChanged() }
            pushed += devices
        }
        if pushed > 0 { hub.topics.receipts.given(entry.notificationID, of: topic, to: pushed) }
        let (now, sent) = (Timestamp.nowMilliseconds(), entry.streamID.milliseconds)
        hub.metrics.deliveryLatency.observe(Double(now > sent ? now - sent : 0))
    }

    private func keep(_ entry: EntryReference) {
        entries.append(entry)
        let surplus = entries.count - hub.store.settings.streamMaxLength
        if surplus > 0 { entries.removeFirst(surplus) }
    }

    /// Reads the stream from the cursor on and pushes in order; one such reading at a time.
    private func readStream() {
        guard !isReading, isLoaded else { return }
        isReading = true
        let (knownWhenSent, history) = (cursor.newest, history)
        hub.store.read(topic, after: cursor.position, count: Self.readCount) { [self] result in
            guard case .success(let part) = result else { return isReading = false }
            hub.store.payloads(of: part.map { $0.notificationID ?? NotificationID("") }) { [self] result in
                isReading = false
                guard case .success(let payloads) = result, history == self.history else { return }
                for (entry, payload) in zip(part, payloads) where cursor.read(entry.id) {
                    hub.metrics.gapsFilled.increment()
                    guard let reference = entry.reference,
                        let content = payload.flatMap({ NotificationContent(payload: $0, streamID: entry.id) })
                    else { continue }
                    push(reference, content)
                }
                let isAtEnd = part.count < Self.readCount
                if isAtEnd { cursor.readToEnd(knownWhenSent: knownWhenSent) }
                releaseAhead(upTo: cursor.position)
                if cursor.isBehind || !isAtEnd { readStream() }
            }
        }
    }

    /// An entry was taken back by its sender.
    func withdrawn(_ entry: EntryReference, _ action: InboxAction) {
        let inboxes = inboxes(of: entry.streamID).filter { !$0.devices.isEmpty || !$0.watches.isEmpty }
        entries.removeAll { $0.streamID == entry.streamID }
        hub.visitAll(inboxes) { [topic] in $0.changed(InboxChange(action, [entry], of: topic)) }
    }

    // MARK: - Recovery

    /// Compares how far the devices have been told with what the stream has ever held, and reads on where there is more.
    func check() {
        guard isLoaded else { return load() }
        for listener in listeners.values { settle(listener) }
        let (shown, history) = (cursor.position, history)
        hub.store.newestEntryID(of: topic) { [self] result in
            guard case .success(let newest) = result, history == self.history else { return }
            if let newest, newest >= shown { return heardOf(newest) }
            hub.store.lastGeneratedID(of: topic) { [self] result in
                guard case .success(let last) = result, history == self.history else { return }
                if let last, last >= shown { return heardOf(last) }
                if !isForgotten(shown) { startAgain() }
            }
        }
    }

    /// A topic without notifications is forgotten by Redis in the end, and that is no loss.
    private func isForgotten(_ id: StreamID) -> Bool {
        id == .zero || id.milliseconds + UInt64(Limits.topicSeconds) * 1_000 < Timestamp.nowMilliseconds()
    }

    /// What the devices know of the topic is of another history: they come back and are told of this one.
    private func startAgain() {
        let inboxes = topic == .everybody ? Array(hub.inboxes.values) : listeners.values.map(\.inbox)
        history += 1
        cursor = DeliveryCursor()
        entries = []
        isLoaded = false
        for inbox in inboxes {
            hub.metrics.resyncCloses.increment(by: inbox.devices.count)
            for device in inbox.devices { device.connection.demandResync() }
        }
        releaseAhead(upTo: .max)
        load()
    }
}

@available(*, unavailable)
extension TopicFeed: Sendable {}
