import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// An entry that a device has read, until that is stored.
struct PendingRead {
    let entry: EntryReference
    weak var device: Device?
}

/// A user with devices on this pod: who they are, how far they have been told, and what his consumer group still needs.
///
/// - Isolation: the event loop
final class Inbox {
    let key: UserKey
    private unowned let hub: Hub
    private(set) var devices: [Device] = []
    private var liveDevices = 0
    /// Devices that are told the number of unread ones after each change.
    private(set) var countingDevices = 0
    /// Those who are no devices and wait for something to happen.
    var watches: [InboxWatch] = []
    private(set) var cursor = DeliveryCursor()
    /// Redis has said once that it knows of the user's devices here.
    var isPresent = false
    /// This pod keeps the user's consumer group.
    var holdsLock = false
    /// What the group has to hand out, as far as the pod knows.
    private(set) var handOut = HandOut.nothing
    /// How often something was handed out.
    private(set) var handOuts = 0
    /// The stream holds entries, or held some when it was last read.
    private(set) var hasEntries = false
    /// Read entries that wait for the next batch of group upkeep.
    var reads: [PendingRead] = []
    /// It stands in the queues for group upkeep.
    var isQueuedForReads = false
    var isQueuedForHandOut = false
    /// What is to be written down of notifications.
    var receipts = PendingReceipts()
    /// Nil where the user has no subscriptions.
    var topics: InboxTopics?
    private(set) lazy var teller = InboxTeller(hub: hub, inbox: self)
    private var isReading = false
    /// Counts the histories of the stream that this pod knew; what was asked of an earlier one is of no use.
    private var history = 0
    /// The stream is being compared with what was shown.
    private var isDoubted = false
    /// Rounds of upkeep that came by; begins anywhere, so that users who came together do not have their turns together.
    var rounds = Int.random(in: 0..<100)
    /// Entries told as cleared lately, so that a late read can be answered with `gone`.
    private var cleared: [EntryReference] = []

    private static let readCount = 100
    private static let toldReadsKept = 2 * Limits.replayEntries
    private static let clearedKept = 100
    /// Reads that all devices here were told of, so that a re-reading does not repeat them.
    private var toldReads: Set<StreamID> = []

    init(key: UserKey, hub: Hub) {
        self.key = key
        self.hub = hub
    }

    func add(_ device: Device) {
        devices.append(device)
        if device.wantsUnreadCount { countingDevices += 1 }
    }

    func remove(_ device: Device, wasLive: Bool) {
        devices.removeAll { $0 === device }
        if device.wantsUnreadCount { countingDevices -= 1 }
        if wasLive { liveDevices -= 1 }
        hub.receiptKeeper.endRun(of: self)
    }

    /// A device has been replayed up to `mark`. The first one sets the cursor; later ones bring their own mark.
    func wentLive(at mark: StreamID) {
        liveDevices += 1
        hub.receiptKeeper.endRun(of: self)
        if liveDevices == 1 { cursor.start(at: mark) }
    }

    var hasLiveDevice: Bool { liveDevices > 0 }

    // MARK: - The consumer group

    private func wasAdded(after id: StreamID) {
        hasEntries = true
        if case .nothing = handOut { handOut = .new(after: id) }
        hub.groupKeeper.queueHandOut(self)
    }

    /// The group may have anything to hand out: this pod keeps it from now on, or there was more than fits one command.
    func needsWholeHandOut() {
        handOut = .everything
        hub.groupKeeper.queueHandOut(self)
    }

    /// The stream was read and holds entries.
    func foundEntries() {
        guard !hasEntries else { return }
        hasEntries = true
        hub.groupKeeper.queueHandOut(self)
    }

    /// Takes the work for a batch of upkeep; a pod that does not keep the group leaves the hand-out to the one that does.
    func takeHandOut() -> HandOut {
        guard holdsLock, hasEntries else { return .nothing }
        defer { handOut = .nothing }
        handOuts += 1
        return handOut
    }

    /// There is something to hand out, as far as the pod knows, and it is this pod's business.
    var needsHandOut: Bool {
        guard holdsLock, hasEntries else { return false }
        if case .nothing = handOut { return false }
        return true
    }

    // MARK: - Pushing

    /// A hint says that an entry was added; pushes it if nothing lies between, else reads the stream.
    func hint(_ entry: EntryReference, predecessor: StreamID?, content: NotificationContent?) {
        wasAdded(after: cursor.position)
        // Without a live device nobody waits for the push; those that replay read on until they have what was heard of.
        let known = content == nil || !hasLiveDevice ? nil : predecessor
        let action = cursor.received(entry.streamID, predecessor: known)
        if action != .drop { wakeWatches() }
        switch action {
        case .drop:
            hub.metrics.duplicatesSuppressed.increment()
            doubtHistory()
        case .push:
            if let content { push(entry, content, .unread) }
        case .readStream:
            if hasLiveDevice {
                hub.metrics.gapsFound.increment()
                readStream()
            }
        }
    }

    /// The highest id that any open device here was told, or passed over.
    var newestShown: StreamID { devices.reduce(cursor.position) { $1.connection.isOpen ? max($0, $1.mark) : $0 } }

    /// An entry is said to be new that lies before what was shown. Mostly it was read from the stream already; or the stream is
    /// another one than it was.
    func doubtHistory() {
        guard !isDoubted else { return }
        isDoubted = true
        hub.compareHistory(of: self) { [self] _ in isDoubted = false }
    }

    /// The stream's history has gone back or away: nothing is known of the new one.
    func forgetHistory() {
        wakeWatches()
        history += 1
        hub.receiptKeeper.endRun(of: self)
        cursor = DeliveryCursor()
        toldReads.removeAll()
        cleared.removeAll()
    }

    /// Something newer may be in the stream.
    func heardOf(_ id: StreamID) {
        if id > cursor.newest { wakeWatches() }
        guard cursor.received(id, predecessor: nil) == .readStream else { return }
        wasAdded(after: cursor.position)
        if hasLiveDevice { readStream() }
    }

    private func push(_ entry: EntryReference, _ content: NotificationContent, _ status: EntryStatus) {
        var frame = DeviceFrame(id: entry.streamID) { ServerFrame.writePush(entry, content, status, into: &$0) }
        var pushed = 0
        for device in devices where device.push(&frame, entry.streamID) { pushed += 1 }
        let now = Timestamp.nowMilliseconds()
        if pushed > 0 {
            hub.receiptKeeper.pushed(entry.streamID, devices: pushed, at: now, of: self)
            countMayHaveChanged()
        }
        let sent = entry.streamID.milliseconds
        hub.metrics.deliveryLatency.observe(Double(now > sent ? now - sent : 0))
    }

    /// Reads the stream from the cursor on and pushes in order; one such reading at a time.
    func readStream() {
        guard !isReading else { return }
        isReading = true
        let (knownWhenSent, history) = (cursor.newest, history)
        hub.store.read(.after(cursor.position, count: Self.readCount), of: key) { [self] result in
            guard case .success(let part) = result else { return isReading = false }
            let ids = part.entries.map { $0.notificationID ?? NotificationID("") }
            hub.store.payloads(of: ids) { [self] result in
                isReading = false
                guard case .success(let payloads) = result, history == self.history else { return }
                for (entry, payload) in zip(part.entries, payloads) where cursor.read(entry.id) {
                    hub.metrics.gapsFilled.increment()
                    pushStored(entry, payload, isRead: part.isRead(entry))
                }
                let isAtEnd = part.entries.count < Self.readCount
                if isAtEnd { cursor.readToEnd(knownWhenSent: knownWhenSent) }
                if (cursor.isBehind || !isAtEnd) && hasLiveDevice { readStream() }
            }
        }
    }

    private func pushStored(_ entry: StoredEntry, _ payload: ByteBuffer?, isRead: Bool) {
        guard let reference = entry.reference else { return }
        if let content = payload.flatMap({ NotificationContent(payload: $0, streamID: entry.id) }) {
            push(reference, content, isRead ? .read : .unread)
        } else if !isRead {
            push(reference, .expired(at: entry.id), .autoCleared)
            hub.clear(reference, of: key)
        }
    }

    /// Re-reads what other pods may have said in vain: reads of the last entries, then everything after the cursor.
    func resync() {
        // What other pods said in vain may have changed the number too.
        countMayHaveChanged()
        teller.retry()
        wakeWatches()
        hub.store.read(.newest(count: Limits.replayEntries), of: key, withTopics: true) { [self] result in
            guard case .success(let part) = result, hub.inboxes[key] === self else { return }
            hub.topics.resync(self, part.topics)
            for entry in part.entries where entry.id <= cursor.position && part.isRead(entry) {
                if let reference = entry.reference, !toldReads.contains(entry.id) { tellRead(reference) }
            }
            toldReads.formIntersection(part.entries.map(\.id))
            if let newest = part.entries.last?.id { heardOf(newest) }
        }
    }

    // MARK: - Telling

    /// Something happened, or may have.
    func wakeWatches() {
        for watch in watches { watch.changed() }
    }

    func tellRead(_ entry: EntryReference) {
        wakeWatches()
        if toldReads.count < Self.toldReadsKept { toldReads.insert(entry.streamID) }
        var frame = DeviceFrame { ServerFrame.writeReadAck(entry, into: &$0) }
        for device in devices { device.told(read: entry, &frame) }
        countMayHaveChanged()
    }

    func tellRead(_ read: TopicReference) {
        wakeWatches()
        var frame = DeviceFrame { ServerFrame.writeReadAck(read.entry, of: read.topic, into: &$0) }
        for device in devices { device.told(read: read, &frame) }
        countMayHaveChanged()
    }

    /// The live devices have all that came to a topic since the user subscribed: those that wait may go live.
    func topicsSettled() {
        for device in devices { device.topicsSettled() }
    }

    func tellCleared(_ entry: EntryReference) {
        wakeWatches()
        remember(cleared: entry)
        var frame = DeviceFrame { ServerFrame.writeAutoCleared(entry, into: &$0) }
        for device in devices { device.told(cleared: entry, &frame) }
        countMayHaveChanged()
    }

    func countMayHaveChanged() {
        if countingDevices > 0 { teller.countMayHaveChanged() }
    }

    private func remember(cleared entry: EntryReference) {
        cleared.append(entry)
        if cleared.count > Self.clearedKept { cleared.removeFirst() }
    }

    /// Something was done over HTTP, here or on another pod.
    func changed(_ change: InboxChange) {
        wakeWatches()
        if change.action == .unread, change.topic == nil { toldReads.subtract(change.entries.map(\.streamID)) }
        if change.action.removes, change.topic == nil { change.entries.forEach(remember(cleared:)) }
        for device in devices { device.heard(change) }
        if !devices.isEmpty { teller.tell(change) }
    }

    func tellChange(_ change: InboxChange, unreadCount: Int) {
        var frame = DeviceFrame { ServerFrame.writeInboxChanged(change, unreadCount: unreadCount, into: &$0) }
        for device in devices { device.told(change, &frame) }
    }

    func wasCleared(_ entry: EntryReference) -> Bool { cleared.contains(entry) }

    func wasCleared(_ id: NotificationID) -> Bool { cleared.contains { $0.notificationID == id } }
}

@available(*, unavailable)
extension Inbox: Sendable {}
