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
    let metrics: Metrics
    let logger: Logger
    let userIDs: UserIDKind
    package let pods: PodDirectory
    package let bus: BusSender
    private(set) lazy var groupKeeper = GroupKeeper(hub: self)
    /// Names the history that stream ids belong to; see `InboxStore.epoch`.
    private(set) var epoch = "0"
    private(set) var inboxes: [UserKey: Inbox] = [:]
    /// Users whose last device left while Redis was away: what it says of them is still to be taken back.
    private var owedLeaves: Set<UserKey> = []
    private lazy var catchingUp = Throttle(eventLoop, interval: Self.restBetweenVisits) { [unowned self] in
        startCatchUp()
    }
    private lazy var rereading = Throttle(eventLoop, interval: Self.restBetweenVisits) { [unowned self] in
        visitAll { $0.resync() }
    }
    private var nextDevice: UInt64 = 1
    private var isDraining = false

    package init(
        eventLoop: any EventLoop,
        store: InboxStore,
        pods: PodDirectory,
        userIDs: UserIDKind,
        metrics: Metrics,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.store = store
        self.pods = pods
        self.userIDs = userIDs
        self.metrics = metrics
        self.logger = logger
        self.bus = BusSender(store: store, eventLoop: eventLoop)
    }

    // MARK: - Devices

    func join(_ device: Device) -> Inbox {
        eventLoop.assertInEventLoop()
        metrics.websocketConnections.add(1)
        store.connections.opened(record(device))
        if let inbox = inboxes[device.user.key] {
            inbox.add(device)
            return inbox
        }
        let inbox = Inbox(key: device.user.key, hub: self)
        inboxes[device.user.key] = inbox
        metrics.localUsers.set(inboxes.count)
        inbox.add(device)
        confirmPresence(inbox)
        store.ensureGroup(inbox.key)
        return inbox
    }

    func leave(_ device: Device, _ inbox: Inbox, wasLive: Bool) {
        metrics.websocketConnections.add(-1)
        store.connections.closed(device.connectionID)
        inbox.remove(device, wasLive: wasLive)
        guard inbox.devices.isEmpty else { return }
        inboxes[inbox.key] = nil
        metrics.localUsers.set(inboxes.count)
        release(inbox.key, holdsLock: inbox.holdsLock)
    }

    private func release(_ user: UserKey, holdsLock: Bool) {
        store.leave(user, holdsLock: holdsLock) { [self] isDone in
            if !isDone { owedLeaves.insert(user) }
        }
    }

    /// Says in Redis that the user has devices here; whoever gets the lock looks after his consumer group.
    func confirmPresence(_ inbox: Inbox) {
        store.join(inbox.key) { [self] wasMissing in
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

    private func takeOver(_ inbox: Inbox, from pod: String) {
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
            connectedAt: device.connectedAt
        )
    }

    package var isEmpty: Bool { inboxes.isEmpty }
    /// Users whose consumer groups wait for the next batch of upkeep.
    package var waitingForUpkeep: Int { groupKeeper.waiting }

    /// Does at once what waits for the next batch of group upkeep.
    package func finishUpkeep() { groupKeeper.flush() }

    /// Closes all sockets, spread evenly over `duration`, each with a hint when to come back, and takes no new ones.
    package func drain(over duration: TimeAmount) {
        isDraining = true
        let devices = inboxes.values.flatMap(\.devices)
        for (index, device) in devices.enumerated() {
            let delay = TimeAmount.nanoseconds(duration.nanoseconds * Int64(index) / Int64(devices.count))
            eventLoop.assumeIsolated().scheduleTask(in: delay) {
                let pause = Int.random(in: 100...1_000)
                device.connection.close(code: .goingAway, reason: "going away; come back in \(pause) ms")
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

    // MARK: - Redis and other pods

    /// The pod may have missed something: finds out whether ids have gone back, then reads all local users again; and once more
    /// when the other pods must have noticed that it is there.
    package func catchUp() { catchingUp.call() }

    private func startCatchUp() {
        eventLoop.assumeIsolated().scheduleTask(in: Self.noticedAfter) { [self] in
            guard !pods.isAlone else { return }
            visitAll { [self] inbox in
                // Whoever took this pod for dead may have been late to take its presence away.
                confirmPresence(inbox)
                inbox.resync()
            }
        }
        store.epoch { [self] result in
            guard case .success(let epoch) = result else { return }
            self.epoch = epoch
            bus.resync(pods.others)
            store.connections.restart(with: connections)
            let owed = owedLeaves
            owedLeaves.removeAll()
            for user in owed where inboxes[user] == nil { release(user, holdsLock: true) }
            visitAll { [self] inbox in
                confirmPresence(inbox)
                compareHistory(of: inbox) { if $0 != nil { inbox.resync() } }
                for device in inbox.devices { device.retry() }
            }
        }
    }

    /// Compares how far a user's devices have been told with what his stream has ever held, and closes them where it has gone back
    /// or away: new entries would look as if they had been pushed.
    ///
    /// - Parameter completion: Hears the stream's last id; nil where the devices were closed or are gone, or where Redis failed.
    func compareHistory(of inbox: Inbox, completion: @escaping (StreamID?) -> Void) {
        let shown = inbox.newestShown
        store.lastGeneratedID(of: inbox.key) { [self] result in
            guard case .success(let last) = result, inboxes[inbox.key] === inbox else { return completion(nil) }
            let isSame = shown == .zero || (last ?? .zero) >= shown
            if !isSame { startAgain(inbox) }
            completion(isSame ? last ?? .zero : nil)
        }
    }

    /// What the devices know of the user is of another history: they come back and are told of this one.
    private func startAgain(_ inbox: Inbox) {
        inbox.forgetHistory()
        metrics.resyncCloses.increment(by: inbox.devices.count)
        for device in inbox.devices { device.connection.close(code: .serviceRestart, reason: "resync needed") }
    }

    /// Redis no longer says that the user has devices here: somebody deleted it, and with it what other pods said of him.
    func presenceIsLost(of inbox: Inbox) {
        lookAgain(at: inbox)
        bus.send(.changed(inbox.key), to: Array(pods.others))
    }

    private func lookAgain(at inbox: Inbox) {
        confirmPresence(inbox)
        inbox.resync()
    }

    /// Tells the other pods that this one is there, so that none goes on believing that it is alone.
    ///
    /// - Parameter replacesProcess: An earlier process of this name crashed or runs still; the others have to take over from it.
    package func announce(replacesProcess: Bool) {
        bus.send(replacesProcess ? .restarted : .joined, to: Array(pods.others))
    }

    /// A pod was found dead: takes over what it held of local users, and looks for what it stored without a word.
    package func podDied(_ pod: String) {
        bus.forget(pod)
        visitAll { [self] inbox in
            takeOver(inbox, from: pod)
            inbox.resync()
        }
    }

    /// Calls `visit` for every local user, some at a time, so that nothing else has to wait.
    private func visitAll(_ visit: @escaping (Inbox) -> Void) {
        visitSome(ArraySlice(Array(inboxes.values)), visit)
    }

    private func visitSome(_ inboxes: ArraySlice<Inbox>, _ body: @escaping (Inbox) -> Void) {
        for inbox in inboxes.prefix(Self.visitedAtOnce) where self.inboxes[inbox.key] === inbox { body(inbox) }
        let rest = inboxes.dropFirst(Self.visitedAtOnce)
        guard !rest.isEmpty else { return }
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(5)) { self.visitSome(rest, body) }
    }

    private static let visitedAtOnce = 128
    /// Between two visits of all users, however often something was missed.
    private static let restBetweenVisits = TimeAmount.seconds(1)
    /// Another pod has seen this one's heartbeat by then, and no longer believes that it is alone.
    private static let noticedAfter = PodDirectory.believedFor + .milliseconds(1_500)
}

// MARK: - Accepting

extension Problem {
    fileprivate static let draining = Problem(
        status: 503,
        code: "draining",
        title: "Service Unavailable",
        detail: "this pod is going away; connect again",
        retryAfterSeconds: 1
    )
}

extension Hub: WebSocketAcceptor {
    package func accept(
        query: String,
        connection: WebSocketConnection
    ) -> Result<any WebSocketSession, Problem> {
        guard !isDraining else { return .failure(.draining) }
        let parameters = QueryParameters(query)
        do throws(Problem) {
            let user = try User.parse(id: parameters["user_id"], login: parameters["login"], ids: userIDs)
            let device = Device(
                connection: connection,
                user: user,
                number: nextDevice,
                since: try Self.since(parameters["since"]),
                epoch: parameters["epoch"],
                hub: self
            )
            nextDevice += 1
            return .success(device)
        } catch {
            return .failure(error)
        }
    }

    private static func since(_ text: String?) throws(Problem) -> StreamID? {
        guard let text, !text.isEmpty else { return nil }
        guard let id = StreamID(text) else {
            throw .badParameter("since", "must be a stream id such as 1640995200000-0")
        }
        return id
    }
}

// MARK: - The bus

extension Hub: BusListener {
    package func received(_ message: BusMessage) {
        switch message {
        case .pushed(let user, let id, let predecessor, let notification, let payload):
            let entry = EntryReference(streamID: id, notificationID: notification)
            let content = payload.flatMap { NotificationContent(payload: $0, streamID: id) }
            pushed(entry, predecessor: predecessor, content: content, of: user)
        case .read(let user, let entry): inboxes[user]?.tellRead(entry)
        case .autoCleared(let user, let entry): inboxes[user]?.tellCleared(entry)
        case .changed(let user): if let inbox = inboxes[user] { lookAgain(at: inbox) }
        case .joined, .restarted, .resync, .probe: break
        }
    }

    package func podIsThere(_ pod: String) { pods.add(pod) }

    package func podRestarted(_ pod: String) {
        logger.warning("a pod came back after a crash", metadata: ["pod": "\(pod)"])
        podDied(pod)
    }

    package func missedMessages() { rereading.call() }
}

@available(*, unavailable)
extension Hub: Sendable {}
