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
    /// Nil while nothing of it waits.
    private var requests: DeviceRequests?

    private enum Phase {
        case replaying(Replayer)
        case live
        case closed
    }

    init(
        connection: DeviceConnection,
        user: User,
        number: UInt64,
        request: ReplayRequest,
        wantsUnreadCount: Bool,
        hub: Hub
    ) {
        self.connection = connection
        self.user = user
        self.number = number
        self.wantsUnreadCount = wantsUnreadCount
        self.hub = hub
        self.connectedAt = Timestamp.nowMilliseconds()
        self.phase = .replaying(Replayer(request, hub: hub))
    }

    /// Unique among all pods and their restarts.
    var connectionID: String { "\(hub.store.settings.runID)-\(number)" }

    var isLive: Bool {
        if case .live = phase { true } else { false }
    }

    private var replayer: Replayer? {
        if case .replaying(let replayer) = phase { replayer } else { nil }
    }

    /// What happens is told, now or in its replay.
    private var isTold: Bool { isLive || replayer?.isUnderWay == true }

    // MARK: - Life of the socket

    package func opened() {
        inbox = hub.join(self)
        replayer?.begin(self)
    }

    package func closed() {
        let wasLive = isLive
        replayer?.end()
        phase = .closed
        requests = nil
        guard let inbox else { return }
        self.inbox = nil
        hub.leave(self, inbox, wasLive: wasLive)
    }

    package func received(_ message: ByteBuffer) {
        do throws(ClientFrameError) {
            switch try parse(message) {
            case .read(let entries, let ofTopics):
                connection.charge(entries.count + ofTopics.count - 1)
                hub.markRead(entries, by: self)
                if !ofTopics.isEmpty { hub.markRead(ofTopics, by: self) }
            case .sync(let request): try queue(.sync(request))
            case .subscribe(let channels): changeSubscriptions(channels, isSubscribing: true)
            case .unsubscribe(let channels): changeSubscriptions(channels, isSubscribing: false)
            case .setRetention(let days): hub.setRetention(days, by: self)
            case .acknowledge(let id) where isLive: hub.acknowledge(id, by: self)
            case .acknowledge(let id): try queue(.acknowledge(id))
            case .missed(let since): try queue(.missed(MissedNotifications(since: since)))
            }
        } catch {
            send(error)
        }
    }

    private func changeSubscriptions(_ channels: [Topic], isSubscribing: Bool) {
        connection.charge(channels.count - 1)
        hub.changeSubscriptions(channels, isSubscribing: isSubscribing, by: self)
    }

    private func parse(_ message: ByteBuffer) throws(ClientFrameError) -> ClientFrame {
        switch connection.subprotocol {
        case nil: try ClientFrame.parse(message)
        case .notificationsV1?: try ClientFrame.parseNotificationsV1(message, from: user)
        }
    }

    package func drained() {
        replayer?.drained()
        goOn { $0.drained() }
    }

    private func queue(_ request: DeviceRequests.Request) throws(ClientFrameError) {
        let requests = requests ?? DeviceRequests(of: self, hub: hub)
        self.requests = requests
        try requests.append(request)
    }

    /// The answer to the first request that waits.
    func answerSync(_ frame: DeviceFrame) { requests?.answered(frame) }

    private func goOn(_ step: (DeviceRequests) -> Void) {
        guard let requests else { return }
        step(requests)
        if requests.isEmpty { self.requests = nil }
    }

    func send(_ error: ClientFrameError) {
        connection.sendBulk(DeviceFrame { ServerFrame.writeError(error, into: &$0) })
    }

    // MARK: - Replay

    /// Redis is back: a device that could not be replayed begins again.
    func retry() { replayer?.retry() }

    /// The devices of the user that are live have what came to his topics.
    func topicsSettled() { replayer?.topicsSettled() }

    /// It was shown everything up to here, or it was passed over.
    func replayed(to id: StreamID) { mark = id }

    func wasTold(cleared entry: EntryReference) { toldCleared.append(entry.streamID) }

    /// It was shown all there is.
    func wentLive(at id: StreamID, unreadCount: Int) {
        mark = id
        replayer?.end()
        phase = .live
        inbox?.wentLive(at: mark)
        sendReady(unreadCount: unreadCount)
        if isCountDoubtful { inbox?.teller.tell(InboxChange(.count, [])) }
        goOn { $0.start() }
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

    func told(read entry: EntryReference, _ frame: inout DeviceFrame) {
        requests?.missed?.read(entry)
        if replayer.map({ $0.read(entry) }) ?? isLive { connection.send(&frame) }
    }

    func told(read: TopicReference, _ frame: inout DeviceFrame) {
        requests?.missed?.read(read)
        if replayer.map({ $0.read(read) }) ?? isLive { connection.send(&frame) }
    }

    /// Its user is not subscribed to a topic any more: what it has not been shown of it, it never is.
    func left(_ topic: Topic, _ entries: ArraySlice<EntryReference>) { replayer?.left(topic, entries) }

    func toldSubscriptions(_ frame: inout DeviceFrame) {
        if isTold { connection.send(&frame) }
    }

    func told(cleared entry: EntryReference, _ frame: inout DeviceFrame) {
        guard entry.streamID <= mark, !toldCleared.contains(entry.streamID) else { return }
        replayer?.cleared(entry)
        connection.send(&frame)
    }

    /// The inbox changed; the frame that says so follows with the number of unread ones.
    func heard(_ change: InboxChange) {
        if change.action.removes { requests?.missed?.remove(change.entries, of: change.topic) }
        guard let replayer, replayer.isUnderWay else { return }
        isCountDoubtful = true
        if change.action.removes { replayer.removed(change) }
    }

    func told(_ change: InboxChange, _ frame: inout DeviceFrame) {
        if change.action == .count {
            guard isLive, wantsUnreadCount || isCountDoubtful else { return }
            isCountDoubtful = false
        }
        if isTold { connection.send(&frame) }
    }
}

@available(*, unavailable)
extension Device: Sendable {}
