package import CarillonDomain
package import CarillonMetrics
package import CarillonStore
package import Logging
package import NIOCore

/// The directory of everybody who has a device on this pod, and the crossroads of all that concerns them.
///
/// State is confined to the event loop: between a post and a socket there is no lock, no actor and no task.
///
/// - Isolation: the event loop
package final class Hub {
    let eventLoop: any EventLoop
    package let store: InboxStore
    let reader: InboxReader
    let writer: InboxWriter
    let metrics: Metrics
    let logger: Logger
    let userIDs: UserIDKind
    package let pods: PodDirectory
    package let bus: BusSender
    private(set) lazy var groupKeeper = GroupKeeper(hub: self)
    let receiptKeeper: ReceiptKeeper
    /// Names the history that stream ids belong to; see `InboxStore.epoch`.
    var epoch = "0"
    private(set) var inboxes: [UserKey: Inbox] = [:]
    /// Users whose last device left while Redis was away: what it says of them is still to be taken back.
    var owedLeaves: Set<UserKey> = []
    private(set) lazy var catchingUp = Throttle(eventLoop, interval: Self.restBetweenVisits) { [unowned self] in
        startCatchUp()
    }
    private(set) lazy var rereading = Throttle(eventLoop, interval: Self.restBetweenVisits) { [unowned self] in
        visitAll { $0.resync() }
    }
    var nextDevice: UInt64 = 1
    var watchCount = 0
    private(set) var isDraining = false

    package init(
        eventLoop: any EventLoop,
        store: InboxStore,
        reader: InboxReader,
        writer: InboxWriter,
        pods: PodDirectory,
        userIDs: UserIDKind,
        metrics: Metrics,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.store = store
        self.reader = reader
        self.writer = writer
        self.receiptKeeper = ReceiptKeeper(eventLoop: eventLoop, store: store)
        self.pods = pods
        self.userIDs = userIDs
        self.metrics = metrics
        self.logger = logger
        self.bus = BusSender(store: store, eventLoop: eventLoop)
    }

    // MARK: - Devices

    func join(_ device: Device) -> Inbox {
        eventLoop.assertInEventLoop()
        count(device, 1)
        store.connections.opened(record(device))
        let inbox = open(device.user.key)
        inbox.add(device)
        return inbox
    }

    /// The user's inbox here, and his presence where there is none yet.
    func open(_ user: UserKey) -> Inbox {
        if let inbox = inboxes[user] { return inbox }
        let inbox = Inbox(key: user, hub: self)
        inboxes[user] = inbox
        metrics.localUsers.set(inboxes.count)
        confirmPresence(inbox)
        store.ensureGroup(user)
        return inbox
    }

    func leave(_ device: Device, _ inbox: Inbox, wasLive: Bool) {
        count(device, -1)
        store.connections.closed(record(device))
        inbox.remove(device, wasLive: wasLive)
        closeIfUnused(inbox)
    }

    /// Nobody may need the inbox any more.
    func closeIfUnused(_ inbox: Inbox) {
        guard inbox.devices.isEmpty, inbox.watches.isEmpty else { return }
        inboxes[inbox.key] = nil
        metrics.localUsers.set(inboxes.count)
        release(inbox.key, holdsLock: inbox.holdsLock)
    }

    func release(_ user: UserKey, holdsLock: Bool) {
        store.leave(user, holdsLock: holdsLock) { [self] isDone in
            if !isDone { owedLeaves.insert(user) }
        }
    }

    /// Says in Redis that the user has devices here; whoever gets the lock looks after his consumer group.
    func confirmPresence(_ inbox: Inbox) {
        store.join(inbox.key, holdsLock: inbox.holdsLock) { [self] wasMissing in
            if wasMissing, inbox.isPresent { metrics.presenceRestored.increment() }
            inbox.isPresent = true
        } lock: { [self] holder in
            lockAnswered(holder, inbox)
            if case .otherPod(let pod) = holder, pods.isDead(pod) { takeOverLater(inbox, from: pod) }
        }
    }

    /// A pod that is not known may have joined a moment ago; by then the heartbeat has been looked at again.
    private func takeOverLater(_ inbox: Inbox, from pod: String) {
        eventLoop.assumeIsolated().scheduleTask(in: PodDirectory.believedFor) { [self] in
            if inboxes[inbox.key] === inbox, pods.isDead(pod) { takeOver(inbox, from: pod) }
        }
    }

    func takeOver(_ inbox: Inbox, from pod: String) {
        store.takeOver(inbox.key, from: pod) { [self] holder in
            if case .thisPod = holder { metrics.takeovers.increment() }
            lockAnswered(holder, inbox)
        }
    }

    private func lockAnswered(_ holder: LockHolder, _ inbox: Inbox) {
        guard case .thisPod = holder else { return inbox.holdsLock = false }
        guard !inbox.holdsLock else { return }
        inbox.holdsLock = true
        if inboxes[inbox.key] === inbox {
            inbox.needsWholeHandOut()
        } else if inboxes[inbox.key] == nil {
            // The last device left while the lock was on its way, and none has come since.
            release(inbox.key, holdsLock: true)
        }
    }

    /// All open connections, in no order.
    package var connections: [ConnectionRecord] { inboxes.values.flatMap(\.devices).map(record) }

    private func record(_ device: Device) -> ConnectionRecord {
        ConnectionRecord(
            user: device.user.key,
            podID: store.settings.podID,
            connectionID: device.connectionID,
            connectedAt: device.connectedAt,
            transport: device.connection.transport
        )
    }

    private func count(_ device: Device, _ change: Int) {
        metrics.websocketConnections.add(change)
        if device.connection.transport == .eventStream { metrics.eventStreams.add(change) }
    }

    package var isEmpty: Bool { inboxes.isEmpty }
    /// Users whose consumer groups wait for the next batch of upkeep.
    package var waitingForUpkeep: Int { groupKeeper.waiting }

    /// Does at once what waits for the next batch of group upkeep.
    package func finishUpkeep() {
        groupKeeper.flush()
        receiptKeeper.flush()
    }

    /// Closes all sockets, spread evenly over `duration`, each with a hint when to come back, and takes no new ones.
    package func drain(over duration: TimeAmount) {
        isDraining = true
        endWatches()
        let devices = inboxes.values.flatMap(\.devices)
        for (index, device) in devices.enumerated() {
            let delay = TimeAmount.nanoseconds(duration.nanoseconds * Int64(index) / Int64(devices.count))
            eventLoop.assumeIsolated().scheduleTask(in: delay) {
                device.connection.sendAway(pauseMilliseconds: DeviceConnection.comeBackMilliseconds)
            }
        }
    }

    // MARK: - What happened to a user's entries

    /// An entry was added, by this pod or another.
    package func pushed(
        _ entry: EntryReference,
        predecessor: StreamID?,
        content: NotificationContent?,
        of user: UserKey
    ) {
        inboxes[user]?.hint(entry, predecessor: predecessor, content: content)
    }

    /// An entry was read on this pod, and it is stored: tells all devices, here and on `otherPods`.
    func tellRead(_ entry: EntryReference, of user: UserKey, otherPods: [String]) {
        inboxes[user]?.tellRead(entry)
        if !otherPods.isEmpty { bus.send(.read(user, entry), to: otherPods) }
    }

    /// Removes an entry that expired unread and was told as such; all other devices of the user are told as well.
    func clear(_ entry: EntryReference, of user: UserKey) {
        store.clear(entry, of: user) { [self] wasRemoved in
            if wasRemoved { cleared(entry, of: user) }
        }
    }

    /// An entry that had expired unread was removed by this pod.
    package func cleared(_ entry: EntryReference, of user: UserKey) {
        metrics.notificationsAutoCleared.increment()
        inboxes[user]?.tellCleared(entry)
        guard !pods.isAlone else { return }
        store.otherPods(of: user) { [self] pods in
            bus.send(.autoCleared(user, entry), to: pods)
        }
    }
}

@available(*, unavailable)
extension Hub: Sendable {}
