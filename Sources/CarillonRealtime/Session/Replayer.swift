import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// What a device asked for when it connected.
struct ReplayRequest {
    var since: StreamPosition?
    var epoch: String?
    /// Channels to subscribe to.
    var channels: [Topic] = []
}

/// Brings a device to the tick in which it goes live: reads what there is, shows it page by page as the socket takes it, and reads on.
/// The plan is a `Replay`.
///
/// - Isolation: the event loop
final class Replayer {
    private unowned let hub: Hub
    private var request: ReplayRequest
    /// Nil before the upgrade is complete, and once the device is live or closed.
    private var device: Device?
    /// Nil before it has begun, and while Redis is away.
    private var plan: Replay?
    /// The payloads of a page are on their way.
    private var isFetchingPage = false
    /// What a payload of the page before had.
    private var payloadLength: Int?
    /// All is shown, but other devices of the user are being given what came to a topic.
    private var isWaitingForTopics = false

    /// Entries that are shown at once, at most; fewer where their payloads are long.
    private static let pageSize = 32
    private static let readOnCount = 100

    init(_ request: ReplayRequest, hub: Hub) {
        self.request = request
        self.hub = hub
    }

    /// The device is being given what there is; before that it has nothing to be kept up to date.
    var isUnderWay: Bool { plan != nil }

    func begin(_ device: Device) {
        self.device = device
        read()
    }

    /// Redis is back: begins again where it could not be read.
    func retry() {
        if plan == nil { read() }
    }

    /// The device is live, or closed.
    func end() {
        device = nil
        plan = nil
    }

    /// The socket has taken everything.
    func drained() {
        if let plan, !plan.isEmpty, !isFetchingPage { showPage() }
    }

    // MARK: - Reading what there is

    private func read() {
        guard let device, let inbox = device.inbox else { return }
        plan = Replay()
        let knownWhenSent = inbox.cursor.newest
        let range = InboxRange.newest(count: hub.store.settings.streamMaxLength)
        hub.store.read(range, of: device.user.key, withTopics: true) { [self] result in
            guard plan != nil else { return }
            guard case .success(let part) = result else { return plan = nil }
            if !request.channels.isEmpty { hub.changeSubscriptions(request.channels, isSubscribing: true, by: device) }
            request.channels = []
            if !part.entries.isEmpty { inbox.foundEntries() }
            hub.topics.connected(inbox, part.topics) { [self] isLoaded in
                guard plan != nil else { return }
                guard isLoaded else { return plan = nil }
                hub.topics.catchUp(inbox, to: sinceOfTopics) { [self] isDone in
                    guard plan != nil else { return }
                    guard isDone else { return plan = nil }
                    findStart(part, of: device.user.key) { [self] start in
                        begin(part, start, knownWhenSent: knownWhenSent)
                    }
                }
            }
        }
    }

    /// All is known that the plan is made of.
    private func begin(_ part: InboxPart, _ start: Replay.Start, knownWhenSent: StreamID) {
        guard let device, let inbox = device.inbox, plan != nil else { return }
        plan?.load(part, start: start)
        plan?.load(part.topics)
        plan?.readToEnd(knownWhenSent: knownWhenSent)
        if case .after(let since) = start { tellReads(part, upTo: since, to: device) }
        planTopics(inbox, device)
        leaveOutExpired()
    }

    /// What `since` says is of the hub's own time.
    private var isOfThisEpoch: Bool { request.epoch == nil || request.epoch == hub.epoch }

    private var sinceOfTopics: [Topic: StreamID] { isOfThisEpoch ? request.since?.topics ?? [:] : [:] }

    /// A `since` of another epoch, or beyond anything that the stream ever gave, counts as absent.
    private func findStart(_ part: InboxPart, of user: UserKey, _ completion: @escaping (Replay.Start) -> Void) {
        guard let since = request.since?.own, isOfThisEpoch else { return completion(.full) }
        if let last = part.entries.last, since <= last.id { return completion(.after(since)) }
        hub.store.lastGeneratedID(of: user) { result in
            let last = (try? result.get()) ?? nil
            completion(last.map { since <= $0 } == true ? .after(since) : .full)
        }
    }

    /// A device that comes back has shown entries as unread that were read elsewhere meanwhile.
    private func tellReads(_ part: InboxPart, upTo since: StreamID, to device: Device) {
        for entry in part.entries.suffix(Limits.replayEntries) where entry.id <= since && part.isRead(entry) {
            guard let reference = entry.reference else { continue }
            device.connection.sendBulk(DeviceFrame { ServerFrame.writeReadAck(reference, into: &$0) })
        }
    }

    /// Plans what there is of the user's topics; a `since` beyond anything that a topic ever gave counts as absent.
    private func planTopics(_ inbox: Inbox, _ device: Device) {
        let since = sinceOfTopics
        for feed in hub.topics.feedsInUse(of: inbox) {
            let since = since[feed.topic].flatMap { $0 <= feed.cursor.position ? $0 : nil }
            let entries = feed.entries(of: inbox)
            let start = since.map { Replay.Start.after($0) } ?? .full
            plan?.plan(entries, of: feed.topic, start: start, through: feed.cursor.position)
            guard let since else { continue }
            for entry in entries where entry.streamID <= since && plan?.record?.read[entry.notificationID] != nil {
                device.connection.sendBulk(DeviceFrame { ServerFrame.writeReadAck(entry, of: feed.topic, into: &$0) })
            }
        }
    }

    /// Unread entries that this replay does not show count only while their payloads live.
    private func leaveOutExpired() {
        guard let plan else { return }
        // A socket that has taken everything must not begin the page on its own.
        isFetchingPage = true
        hub.store.expired(plan.unseenUnread) { [self] result in
            isFetchingPage = false
            guard self.plan != nil else { return }
            guard case .success(let expired) = result else { return startOver() }
            for id in expired { self.plan?.cleared(id) }
            showPage()
        }
    }

    /// Redis went away in the middle: goes on behind the last entry shown, once it is back.
    private func startOver() {
        guard let position = plan?.position else { return }
        request = ReplayRequest(since: position.isEmpty ? nil : position)
        plan = nil
    }

    // MARK: - Showing it

    /// Shows the next entries; goes on when the socket has taken them.
    private func showPage() {
        guard let page = plan?.page(Self.pageSize) else { return }
        guard !page.isEmpty else { return readOn() }
        isFetchingPage = true
        let ids = page.map { $0.entry.notificationID ?? NotificationID("") }
        hub.store.payloads(of: ids, upTo: Limits.pageBytes, each: payloadLength) { [self] result in
            isFetchingPage = false
            guard let device, plan != nil else { return }
            guard case .success(let payloads) = result else { return startOver() }
            payloadLength = payloads.averageLength
            hub.metrics.replayEntries.increment(by: payloads.count)
            var isAnythingSent = false
            for payload in payloads {
                guard let item = plan?.advance() else { break }
                if show(item, payload, on: device) { isAnythingSent = true }
            }
            guard let plan else { return }
            device.replayed(to: plan.mark)
            // Otherwise the next page follows when the socket has taken this one.
            if plan.isEmpty || !isAnythingSent { showPage() }
        }
    }

    /// Whether there was anything to show: read and expired entries, and those that name nothing, are passed over.
    private func show(_ item: Replay.Item, _ payload: ByteBuffer?, on device: Device) -> Bool {
        guard let reference = item.entry.reference, !item.isGone else { return false }
        let content = payload.flatMap { NotificationContent(payload: $0, streamID: item.entry.id) }
        if let topic = item.topic { return show(reference, content, isRead: item.isRead, of: topic, on: device) }
        guard content != nil || !item.isRead else { return false }
        let status: EntryStatus = content == nil ? .autoCleared : item.isRead ? .read : .unread
        let (shown, marks) = (content ?? .expired(at: item.entry.id), plan?.marks ?? InboxMarks())
        device.connection.sendBulk(
            DeviceFrame(id: reference.streamID, position: position(on: device)) {
                ServerFrame.writePush(reference, shown, status, marks: marks, into: &$0)
            }
        )
        if status == .unread, let inbox = device.inbox {
            hub.receiptKeeper.note(.replayed(reference.notificationID, at: Timestamp.nowMilliseconds()), for: inbox)
        }
        if status == .autoCleared {
            plan?.cleared(reference.notificationID)
            device.wasTold(cleared: reference)
            hub.clear(reference, of: device.user.key)
        }
        return true
    }

    /// What has expired of a topic is left out without a word.
    private func show(
        _ entry: EntryReference,
        _ content: NotificationContent?,
        isRead: Bool,
        of topic: Topic,
        on device: Device
    ) -> Bool {
        guard let content else {
            plan?.cleared(entry.notificationID)
            return false
        }
        let (status, marks): (EntryStatus, _) = (isRead ? .read : .unread, plan?.record?.marks)
        device.connection.sendBulk(
            DeviceFrame(id: entry.streamID, position: position(on: device)) {
                ServerFrame.writePush(entry, content, status, of: topic, marks: marks, into: &$0)
            }
        )
        hub.topics.receipts.given(entry.notificationID, of: topic, to: 1)
        return true
    }

    /// What an event stream remembers of a frame of the replay; nil where it is the id alone.
    private func position(on device: Device) -> String? {
        guard device.connection.transport == .eventStream, let position = plan?.position else { return nil }
        return position.topics.isEmpty ? nil : position.text
    }

    // MARK: - Going live

    /// All that was planned is shown: goes live, unless there is something newer.
    private func readOn() {
        guard let device, let plan, device.connection.isOpen, let inbox = device.inbox else { return }
        guard inbox.cursor.newest > plan.mark else {
            guard hub.topics.isSettled(inbox) else { return isWaitingForTopics = true }
            guard !planNewer(inbox) else { return showPage() }
            return device.wentLive(at: plan.mark, unreadCount: plan.unreadCount)
        }
        let knownWhenSent = inbox.cursor.newest
        hub.store.read(.after(plan.mark, count: Self.readOnCount), of: device.user.key) { [self] result in
            guard self.plan != nil else { return }
            guard case .success(let part) = result else { return startOver() }
            self.plan?.append(part)
            if part.entries.count < Self.readOnCount { self.plan?.readToEnd(knownWhenSent: knownWhenSent) }
            showPage()
        }
    }

    /// Plans what came to topics since they were planned. Whether there was anything: a topic has its turn once it is at its cursor.
    private func planNewer(_ inbox: Inbox) -> Bool {
        for feed in hub.topics.feedsInUse(of: inbox) where feed.cursor.position > plan?.end(of: feed.topic) ?? .max {
            plan?.plan(feed.entries(of: inbox), of: feed.topic, start: .full, through: feed.cursor.position)
        }
        return plan?.isEmpty == false
    }

    /// What it waited for has come: goes on.
    func topicsSettled() {
        guard isWaitingForTopics else { return }
        isWaitingForTopics = false
        readOn()
    }

    // MARK: - What happens meanwhile

    /// Somebody read an entry. Whether the device must be told now; if not, its push will say so.
    func read(_ entry: EntryReference) -> Bool { plan?.read(entry) ?? false }

    func read(_ read: TopicReference) -> Bool { plan?.read(read) ?? false }

    func cleared(_ entry: EntryReference) { plan?.cleared(entry.notificationID) }

    /// Entries were removed: they are not shown.
    func removed(_ change: InboxChange) { plan?.remove(change.entries, of: change.topic) }

    /// The user left a topic with these entries.
    func left(_ topic: Topic, _ entries: ArraySlice<EntryReference>) { plan?.remove(Array(entries), of: topic) }
}

@available(*, unavailable)
extension Replayer: Sendable {}
