internal import CarillonDomain
internal import CarillonLoad
internal import NIOCore

/// A user's device as he knows it: it lasts for the run, comes back when it loses its connection, and remembers what it
/// has and which reads nobody has confirmed.
///
/// - Isolation: the event loop
/// - Source: docs/PROTOCOL.md, "What a client should do"
final class FleetDevice: LoadDeviceObserver {
    /// Pause before the next attempt, in milliseconds.
    private static let backoff = Int64(50)...300
    private static let readDelay = Int64(0)...300
    /// Reads that are said at once.
    private static let immediateReads = 0.3
    private static let repeatDelay = TimeAmount.milliseconds(200)
    /// Four times what a device may send.
    private static let floodPings = 80
    private static let floodInterval = TimeAmount.milliseconds(100)

    private unowned let fleet: Fleet
    let user: Int
    let number: Int
    private var port: Int
    private var connection: LoadDevice?
    private var resume: LoadDevice.Resume?
    /// Read by the user, and not yet confirmed.
    private var unconfirmed: [LoadUUID: LoadEntry] = [:]
    /// Reads that the user will do in a moment.
    private var plannedReads = 0
    private var willRepeat = false
    private var isLeaving = false
    private(set) var isLive = false
    private var conduct = DeviceConduct.normal {
        didSet { fleet.ledger.conducts(number, conduct) }
    }

    init(fleet: Fleet, user: Int, number: Int) {
        self.fleet = fleet
        self.user = user
        self.number = number
        port = fleet.port(other: nil)
    }

    var isSettled: Bool { isLive && !isLeaving && plannedReads == 0 && unconfirmed.isEmpty }

    func start() { connect() }

    /// Whether what it says now will be heard and answered.
    var canSpeak: Bool { isLive && !isLeaving && conduct == .normal }

    /// Subscribes the user to channels, or ends that.
    func changeSubscriptions(_ channels: Set<Topic>, isSubscribing: Bool) {
        guard let connection, !channels.isEmpty else { return }
        fleet.ledger.subscribing(number, to: channels, isOn: isSubscribing)
        connection.changeSubscriptions(channels, isSubscribing: isSubscribing)
    }

    /// Leaves for another pod.
    func move() {
        guard isLive, !isLeaving, conduct == .normal, let connection else { return }
        isLeaving = true
        port = fleet.port(other: port)
        if fleet.chance(0.5) { connection.close() } else { connection.drop() }
    }

    /// The network takes the connection away.
    func loseConnection() { connection?.drop() }

    /// Takes nothing from its connection until it wakes or loses it.
    func fallAsleep() {
        guard isLive, conduct == .normal, let connection else { return }
        conduct = .asleep
        connection.stopReading()
    }

    func wake() {
        guard conduct == .asleep else { return }
        conduct = .normal
        connection?.resumeReading()
    }

    /// Sends far more than it may, on each connection that it gets, until it comes to its senses.
    func flood() {
        guard conduct == .normal else { return }
        conduct = .flooding
        floodOn()
    }

    private func floodOn() {
        guard conduct == .flooding else { return }
        connection?.flood(Self.floodPings)
        fleet.after(Self.floodInterval) { [unowned self] in floodOn() }
    }

    /// What it has sent in vain would keep it slow for long: it begins again with a new connection.
    func stopFlood() {
        guard conduct == .flooding else { return }
        connection?.drop()
        conduct = .normal
    }

    func stop() {
        connection?.drop()
        connection = nil
    }

    private func connect() {
        guard connection == nil, !fleet.isStopped else { return }
        if !fleet.ports.contains(port) { port = fleet.port(other: port) }
        if resume != nil, fleet.chance(fleet.plan.fullReplayShare) { resume = nil }
        fleet.ledger.connecting(number)
        let user = FleetUser(index: user)
        let connection = LoadDevice(
            eventLoop: fleet.eventLoop,
            port: port,
            userID: user.id,
            login: user.login,
            resume: resume,
            observer: self
        )
        self.connection = connection
        connection.connect()
    }

    // MARK: - What the connection says

    func opened(_ device: LoadDevice) {}

    func pushed(_ device: LoadDevice, _ push: LoadPush) {
        guard device === connection else { return }
        let token = MessageToken.read(push.message)
        let isNew = fleet.ledger.pushed(number, token: token, entry: push.entry, status: push.status)
        // What a replay brings counts once the replay has ended.
        if isLive { resume?.advance(to: push.entry.place) }
        switch push.status {
        case .unread: if isNew, fleet.chance(fleet.plan.readShare) { read(push.entry) }
        case .read, .autoCleared: unconfirmed[push.entry.id] = nil
        }
    }

    func ready(_ device: LoadDevice, _ ready: LoadReady) {
        guard device === connection else { return }
        resume = LoadDevice.Resume(since: ready.lastStreamID, topics: ready.topics, epoch: ready.epoch)
        isLive = true
        fleet.ledger.ready(number)
        sayReads()
    }

    func subscribed(_ device: LoadDevice, _ channels: Set<Topic>) {
        guard device === connection else { return }
        fleet.ledger.subscribed(number, channels)
    }

    func readAcknowledged(_ device: LoadDevice, _ entry: LoadEntry) {
        guard device === connection else { return }
        unconfirmed[entry.id] = nil
        fleet.ledger.readAcknowledged(number, entry)
    }

    func autoCleared(_ device: LoadDevice, _ entry: LoadEntry) {
        guard device === connection else { return }
        unconfirmed[entry.id] = nil
        fleet.ledger.autoCleared(number, entry)
    }

    func failed(_ device: LoadDevice, _ error: LoadErrorFrame) {
        guard device === connection else { return }
        if fleet.ledger.readRefused(number, error) {
            repeatReads()
        } else if let entry = error.entry {
            unconfirmed[entry.id] = nil
        }
    }

    func closed(_ device: LoadDevice, _ close: LoadClose) {
        guard device === connection else { return }
        connection = nil
        isLive = false
        let isOwnWish = isLeaving
        isLeaving = false
        guard !fleet.isStopped else { return }
        let pause = pause(after: close, isOwnWish: isOwnWish)
        fleet.ledger.lost(number, close, isOwnWish: isOwnWish, comesBackAt: fleet.ledger.clock() + pause)
        // Sleep ends with the connection; a flood goes on with the next one.
        if conduct == .asleep { conduct = .normal }
        fleet.after(pause) { [unowned self] in connect() }
    }

    private func pause(after close: LoadClose, isOwnWish: Bool) -> TimeAmount {
        if case .closed(1012, _) = close { resume = nil }
        guard !isOwnWish else { return .zero }
        let failedPort = port
        port = fleet.port(after: failedPort)
        if case .closed(1001, let reason) = close, let hint = ComeBackHint.milliseconds(in: reason) {
            return .milliseconds(hint)
        }
        return fleet.pause(Self.backoff)
    }

    // MARK: - Reads

    private func read(_ entry: LoadEntry) {
        if fleet.chance(Self.immediateReads) { return say(entry) }
        plannedReads += 1
        fleet.after(fleet.pause(Self.readDelay)) { [unowned self] in
            plannedReads -= 1
            say(entry)
        }
    }

    private func say(_ entry: LoadEntry) {
        unconfirmed[entry.id] = entry
        guard isLive, let connection else { return }
        fleet.ledger.readSaid(number, entry)
        connection.read([entry])
    }

    /// Says all reads that nobody has confirmed.
    private func sayReads() {
        guard isLive, let connection, !unconfirmed.isEmpty else { return }
        let entries = Array(unconfirmed.values)
        entries.forEach { fleet.ledger.readSaid(number, $0) }
        for start in stride(from: 0, to: entries.count, by: Limits.readsPerFrame) {
            connection.read(Array(entries[start..<min(start + Limits.readsPerFrame, entries.count)]))
        }
    }

    private func repeatReads() {
        guard !willRepeat else { return }
        willRepeat = true
        fleet.after(Self.repeatDelay) { [unowned self] in
            willRepeat = false
            sayReads()
        }
    }
}

/// The reason of a 1001: `going away; come back in 412 ms`.
enum ComeBackHint {
    static func milliseconds(in reason: String) -> Int64? {
        guard reason.hasSuffix(" ms") else { return nil }
        return reason.dropLast(3).split(separator: " ").last.flatMap { Int64($0) }
    }
}

@available(*, unavailable)
extension FleetDevice: Sendable {}
