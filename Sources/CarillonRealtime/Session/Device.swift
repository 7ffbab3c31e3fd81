import CarillonDomain
import CarillonMetrics
import CarillonStore
package import NIOCore

/// One open connection of a user, from its replay to its last frame.
///
/// - Isolation: the event loop of its socket
package final class Device: ConnectionSession {
    let connection: DeviceConnection
    let user: User
    let number: UInt64
    let connectedAt: UInt64
    /// It asked to be told the number of unread ones after each change.
    let wantsUnreadCount: Bool
    /// The inbox changed while it was replayed: the number that `session.ready` tells may be wrong.
    private var isCountDoubtful = false
    private unowned let hub: Hub
    /// Nil before the upgrade is complete and after the socket has closed.
    private(set) var inbox: Inbox?
    private var phase: Phase
    /// The last id that was written to this device, or passed over.
    private(set) var mark = StreamID.zero
    /// Entries that it was told of as cleared by its own replay, and need not hear of again.
    private var toldCleared: [StreamID] = []
    /// The payloads of a page are on their way.
    private var isFetchingPage = false
    /// All is shown, but other devices of the user are being given what came to a topic.
    private var isWaitingForTopics = false

    /// `sync.request`s that were not answered yet, the one under way first.
    private var syncs: [SyncRequest] = []
    private var isSyncAnswered = false

    private static let syncsWaiting = 256

    private enum Phase {
        /// It subscribes to the channels once it has been read.
        case connecting(since: StreamPosition?, epoch: String?, channels: [Topic])
        /// Redis was away when it wanted to read.
        case waiting(since: StreamPosition?, epoch: String?, channels: [Topic])
        case replaying(Replay)
        case live
        case closed
    }

    /// Entries whose payloads are asked for at once.
    private static let pageSize = 32
    private static let readOnCount = 100

    init(
        connection: DeviceConnection,
        user: User,
        number: UInt64,
        since: StreamPosition?,
        epoch: String?,
        channels: [Topic],
        wantsUnreadCount: Bool,
        hub: Hub
    ) {
        self.connection = connection
        self.user = user
        self.number = number
        self.wantsUnreadCount = wantsUnreadCount
        self.hub = hub
        self.connectedAt = Timestamp.nowMilliseconds()
        self.phase = .connecting(since: since, epoch: epoch, channels: channels)
    }

    /// Unique among all pods and their restarts.
    var connectionID: String { "\(hub.store.settings.runID)-\(number)" }

    var isLive: Bool {
        if case .live = phase { true } else { false }
    }

    // MARK: - Life of the socket

    package func opened() {
        inbox = hub.join(self)
        start()
    }

    package func closed() {
        let wasLive = isLive
        phase = .closed
        syncs.removeAll()
        guard let inbox else { return }
        self.inbox = nil
        hub.leave(self, inbox, wasLive: wasLive)
    }

    package func received(_ message: ByteBuffer) {
        do throws(ClientFrameError) {
            switch try ClientFrame.parse(message) {
            case .read(let entries, let ofTopics):
                hub.markRead(entries, by: self)
                if !ofTopics.isEmpty { hub.markRead(ofTopics, by: self) }
            case .sync(let request): try queue(request)
            case .subscribe(let channels): hub.changeSubscriptions(channels, isSubscribing: true, by: self)
            case .unsubscribe(let channels): hub.changeSubscriptions(channels, isSubscribing: false, by: self)
            case .setRetention(let days): hub.setRetention(days, by: self)
            }
        } catch {
            send(error)
        }
    }

    package func drained() {
        if case .replaying(let replay) = phase, !replay.isEmpty, !isFetchingPage { showPage() }
        if isSyncAnswered { syncNext() }
    }

    // MARK: - History on request

    /// Answers come one at a time, each when the socket has taken the one before: a device that asks without reading costs one
    /// answer's memory, not hundreds.
    private func queue(_ request: SyncRequest) throws(ClientFrameError) {
        guard syncs.count < Self.syncsWaiting else {
            throw ClientFrameError(.busy, "too many requests wait for their answers", type: "sync.request")
        }
        syncs.append(request)
        if syncs.count == 1 { hub.sync(request, for: self) }
    }

    /// The answer to the first request that waits; the next one follows when the socket has taken it.
    func answerSync(_ frame: DeviceFrame) {
        guard !syncs.isEmpty else { return }
        isSyncAnswered = true
        connection.sendBulk(frame)
    }

    private func syncNext() {
        isSyncAnswered = false
        guard !syncs.isEmpty else { return }
        syncs.removeFirst()
        if let next = syncs.first { hub.sync(next, for: self) }
    }

    func send(_ error: ClientFrameError) {
        connection.sendBulk(DeviceFrame { ServerFrame.writeError(error, into: &$0) })
    }

    // MARK: - Replay

    /// Reads the user's inbox and shows what the device has not seen.
    private func start() {
        guard case .connecting(let since, let epoch, let channels) = phase, let inbox else { return }
        phase = .replaying(Replay())
        let knownWhenSent = inbox.cursor.newest
        let count = hub.store.settings.streamMaxLength
        hub.store.read(.newest(count: count), of: user.key, withTopics: true) { [self] result in
            guard case .replaying = phase else { return }
            guard case .success(let part) = result else {
                return phase = .waiting(since: since, epoch: epoch, channels: channels)
            }
            if !channels.isEmpty { hub.changeSubscriptions(channels, isSubscribing: true, by: self) }
            if !part.entries.isEmpty { inbox.foundEntries() }
            hub.topics.connected(inbox, part.topics) { [self] isLoaded in
                guard case .replaying = phase else { return }
                guard isLoaded else { return phase = .waiting(since: since, epoch: epoch, channels: []) }
                resolve(since: since?.own, epoch: epoch, part) { [self] start in
                    guard case .replaying(var replay) = phase else { return }
                    replay.load(part, start: start)
                    replay.load(part.topics)
                    replay.readToEnd(knownWhenSent: knownWhenSent)
                    if case .after(let since) = start { tellReads(part, upTo: since) }
                    planTopics(&replay, since: epoch == nil || epoch == hub.epoch ? since?.topics ?? [:] : [:])
                    phase = .replaying(replay)
                    leaveOutExpired(replay.unseenUnread)
                }
            }
        }
    }

    /// Plans what there is of the user's topics; a `since` beyond anything that a topic ever gave counts as absent.
    private func planTopics(_ replay: inout Replay, since: [Topic: StreamID]) {
        guard let inbox else { return }
        for feed in hub.topics.feeds(of: inbox) {
            let since = since[feed.topic].flatMap { $0 <= feed.cursor.position ? $0 : nil }
            let entries = feed.entries(of: inbox)
            let start = since.map { Replay.Start.after($0) } ?? .full
            replay.plan(entries, of: feed.topic, start: start, through: feed.cursor.position)
            guard let since else { continue }
            for entry in entries where entry.streamID <= since && replay.record?.read[entry.notificationID] != nil {
                connection.sendBulk(DeviceFrame { ServerFrame.writeReadAck(entry, of: feed.topic, into: &$0) })
            }
        }
    }

    /// Unread entries that this replay does not show count only while their payloads live.
    private func leaveOutExpired(_ ids: [NotificationID]) {
        // A socket that has taken everything must not begin the page on its own.
        isFetchingPage = true
        hub.store.expired(ids) { [self] result in
            isFetchingPage = false
            guard case .replaying(var replay) = phase else { return }
            guard case .success(let expired) = result else { return startOver() }
            for id in expired { replay.cleared(id) }
            phase = .replaying(replay)
            showPage()
        }
    }

    /// A device that comes back has shown entries as unread that were read elsewhere meanwhile.
    private func tellReads(_ part: InboxPart, upTo since: StreamID) {
        for entry in part.entries.suffix(Limits.replayEntries) where entry.id <= since && part.isRead(entry) {
            guard let reference = entry.reference else { continue }
            connection.sendBulk(DeviceFrame { ServerFrame.writeReadAck(reference, into: &$0) })
        }
    }

    /// Redis is back: a device that could not be replayed begins again.
    func retry() {
        guard case .waiting(let since, let epoch, let channels) = phase else { return }
        phase = .connecting(since: since, epoch: epoch, channels: channels)
        start()
    }

    /// A `since` of another epoch, or beyond anything that the stream ever gave, counts as absent.
    private func resolve(
        since: StreamID?,
        epoch: String?,
        _ part: InboxPart,
        _ completion: @escaping (Replay.Start) -> Void
    ) {
        guard let since, epoch == nil || epoch == hub.epoch else { return completion(.full) }
        if let last = part.entries.last, since <= last.id { return completion(.after(since)) }
        hub.store.lastGeneratedID(of: user.key) { result in
            let last = (try? result.get()) ?? nil
            completion(last.map { since <= $0 } == true ? .after(since) : .full)
        }
    }

    /// Shows the next entries; goes on when the socket has taken them.
    private func showPage() {
        guard case .replaying(let replay) = phase else { return }
        let page = replay.page(Self.pageSize)
        guard !page.isEmpty else { return readOn() }
        isFetchingPage = true
        hub.store.payloads(of: page.map { $0.entry.notificationID ?? NotificationID("") }) { [self] result in
            isFetchingPage = false
            guard case .replaying(var replay) = phase else { return }
            guard case .success(let payloads) = result else { return startOver() }
            hub.metrics.replayEntries.increment(by: payloads.count)
            var isAnythingSent = false
            for payload in payloads {
                guard let item = replay.advance() else { break }
                if show(item, payload, &replay) { isAnythingSent = true }
            }
            mark = replay.mark
            phase = .replaying(replay)
            // Otherwise the next page follows when the socket has taken this one.
            if replay.isEmpty || !isAnythingSent { showPage() }
        }
    }

    /// Whether there was anything to show: read and expired entries, and those that name nothing, are passed over.
    private func show(_ item: Replay.Item, _ payload: ByteBuffer?, _ replay: inout Replay) -> Bool {
        guard let reference = item.entry.reference, !item.isGone else { return false }
        if let topic = item.topic { return show(item, reference, of: topic, payload, &replay) }
        let content = payload.flatMap { NotificationContent(payload: $0, streamID: item.entry.id) }
        guard content != nil || !item.isRead else { return false }
        let status: EntryStatus = content == nil ? .autoCleared : item.isRead ? .read : .unread
        let shown = content ?? .expired(at: item.entry.id)
        connection.sendBulk(
            DeviceFrame(id: reference.streamID, position: eventID(replay)) {
                ServerFrame.writePush(reference, shown, status, marks: replay.marks, into: &$0)
            }
        )
        if status == .unread, let inbox {
            hub.receiptKeeper.note(.replayed(reference.notificationID, at: Timestamp.nowMilliseconds()), for: inbox)
        }
        if status == .autoCleared {
            replay.cleared(reference.notificationID)
            toldCleared.append(reference.streamID)
            hub.clear(reference, of: user.key)
        }
        return true
    }

    /// What has expired of a topic is left out without a word.
    private func show(
        _ item: Replay.Item,
        _ entry: EntryReference,
        of topic: Topic,
        _ payload: ByteBuffer?,
        _ replay: inout Replay
    ) -> Bool {
        guard let content = payload.flatMap({ NotificationContent(payload: $0, streamID: entry.streamID) }) else {
            replay.cleared(entry.notificationID)
            return false
        }
        let (status, marks): (EntryStatus, _) = (item.isRead ? .read : .unread, replay.record?.marks)
        connection.sendBulk(
            DeviceFrame(id: entry.streamID, position: eventID(replay)) {
                ServerFrame.writePush(entry, content, status, of: topic, marks: marks, into: &$0)
            }
        )
        hub.topics.receipts.given(entry.notificationID, of: topic, to: 1)
        return true
    }

    /// What an event stream remembers of a frame of the replay; nil where it is the id alone.
    private func eventID(_ replay: Replay) -> String? {
        guard connection.transport == .eventStream else { return nil }
        let position = replay.position
        return position.topics.isEmpty ? nil : position.text
    }

    /// All that was planned is shown: goes live, unless there is something newer.
    private func readOn() {
        guard case .replaying(var replay) = phase, connection.isOpen, let inbox else { return }
        guard inbox.cursor.newest > replay.mark else {
            guard hub.topics.isSettled(inbox) else { return isWaitingForTopics = true }
            guard !planNewer(&replay, inbox) else {
                phase = .replaying(replay)
                return showPage()
            }
            mark = replay.mark
            phase = .live
            inbox.wentLive(at: mark)
            sendReady(unreadCount: replay.unreadCount)
            if isCountDoubtful { inbox.teller.tell(InboxChange(.count, [])) }
            return
        }
        let knownWhenSent = inbox.cursor.newest
        hub.store.read(.after(replay.mark, count: Self.readOnCount), of: user.key) { [self] result in
            guard case .replaying(let current) = phase else { return }
            guard case .success(let part) = result else { return startOver() }
            replay = current
            replay.append(part)
            if part.entries.count < Self.readOnCount { replay.readToEnd(knownWhenSent: knownWhenSent) }
            phase = .replaying(replay)
            showPage()
        }
    }

    /// Plans what came to topics since they were planned. Whether there was anything: a topic has its turn once it is at its cursor.
    private func planNewer(_ replay: inout Replay, _ inbox: Inbox) -> Bool {
        for feed in hub.topics.feeds(of: inbox) where feed.cursor.position > replay.end(of: feed.topic) {
            replay.plan(feed.entries(of: inbox), of: feed.topic, start: .full, through: feed.cursor.position)
        }
        return !replay.isEmpty
    }

    /// What it waited for has come: goes on.
    func topicsSettled() {
        guard isWaitingForTopics else { return }
        isWaitingForTopics = false
        readOn()
    }

    /// Redis went away in the middle: goes on behind the last entry shown, once it is back.
    private func startOver() {
        guard case .replaying(let replay) = phase else { return }
        let position = replay.position
        phase = .waiting(since: position.isEmpty ? nil : position, epoch: nil, channels: [])
    }

    private func sendReady(unreadCount: Int) {
        let ready = SessionReady(
            connectionID: connectionID,
            podID: hub.store.settings.podID,
            unreadCount: unreadCount,
            lastStreamID: mark,
            epoch: hub.epoch,
            topics: inbox.map(hub.topics.positions) ?? [:]
        )
        connection.sendBulk(DeviceFrame(id: mark) { ready.write(into: &$0) })
    }

    // MARK: - Live

    /// Gives a live device an entry that it does not have yet; the frame is shared by all devices of the user.
    ///
    /// - Returns: Whether it was given to it.
    func push(_ frame: inout DeviceFrame, _ id: StreamID) -> Bool {
        guard case .live = phase else { return false }
        guard id > mark else {
            inbox?.doubtHistory()
            return false
        }
        mark = id
        connection.send(&frame)
        return true
    }

    /// Gives a live device an entry of a topic. Whether it was given to it.
    func pushTopic(_ frame: inout DeviceFrame) -> Bool {
        guard case .live = phase else { return false }
        connection.send(&frame)
        return true
    }

    package var topicPosition: String? {
        guard case .live = phase, let inbox else { return nil }
        let topics = hub.topics.positions(of: inbox)
        return topics.isEmpty ? nil : StreamPosition(own: mark == .zero ? nil : mark, topics: topics).text
    }

    func told(read: TopicReference, _ frame: inout DeviceFrame) {
        switch phase {
        case .live: connection.send(&frame)
        case .replaying(var replay):
            let tellNow = replay.read(read)
            phase = .replaying(replay)
            if tellNow { connection.send(&frame) }
        case .connecting, .waiting, .closed: break
        }
    }

    /// Its user is not subscribed to a topic any more: what it has not been shown of it, it never is.
    func left(_ topic: Topic, _ entries: some Collection<EntryReference>) {
        guard case .replaying(var replay) = phase else { return }
        replay.remove(Array(entries), of: topic)
        phase = .replaying(replay)
    }

    func toldSubscriptions(_ frame: inout DeviceFrame) {
        switch phase {
        case .live, .replaying: connection.send(&frame)
        case .connecting, .waiting, .closed: break
        }
    }

    func told(read entry: EntryReference, _ frame: inout DeviceFrame) {
        switch phase {
        case .live: connection.send(&frame)
        case .replaying(var replay):
            let tellNow = replay.read(entry)
            phase = .replaying(replay)
            if tellNow { connection.send(&frame) }
        case .connecting, .waiting, .closed: break
        }
    }

    func told(cleared entry: EntryReference, _ frame: inout DeviceFrame) {
        guard entry.streamID <= mark, !toldCleared.contains(entry.streamID) else { return }
        if case .replaying(var replay) = phase {
            replay.cleared(entry.notificationID)
            phase = .replaying(replay)
        }
        connection.send(&frame)
    }

    /// The inbox changed; the frame that says so follows with the number of unread ones.
    func heard(_ change: InboxChange) {
        guard case .replaying(var replay) = phase else { return }
        isCountDoubtful = true
        if change.action.removes { replay.remove(change.entries, of: change.topic) }
        phase = .replaying(replay)
    }

    func told(_ change: InboxChange, _ frame: inout DeviceFrame) {
        if change.action == .count {
            guard isLive, wantsUnreadCount || isCountDoubtful else { return }
            isCountDoubtful = false
        }
        switch phase {
        case .live, .replaying: connection.send(&frame)
        case .connecting, .waiting, .closed: break
        }
    }
}

@available(*, unavailable)
extension Device: Sendable {}
