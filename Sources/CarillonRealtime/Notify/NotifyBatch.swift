import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// What a notify request comes to.
protocol NotifyWork: AnyObject {
    /// Stores all of it; calls back when Redis has answered everything.
    func append(mode: AppendMode, completion: @escaping (any NotifyWork) -> Void)
    var isStored: Bool { get }
    /// What the sender is told.
    var outcome: NotifyOutcome { get }
    /// The body of the 202.
    func answer() -> ByteBuffer
}

/// The notifications of one request on their way into Redis and to the sockets.
///
/// A user named twice gets one notification and two equal rows in the answer.
final class NotifyBatch: NotifyWork, AppendObserver {
    private let hub: Hub
    private let request: NotifyRequest
    private var targets: [AppendTarget] = []
    /// For each row of the request its place in `targets`.
    private var rows: [Int] = []
    private var stored = 0
    private var isReplicated = true
    /// What was stored under the request's `collapse_key`.
    private var collapsing: [UserEntry] = []
    private var completion: ((any NotifyWork) -> Void)?

    /// - Parameter makeID: The id for a user, given his place among the distinct ones.
    init(request: NotifyRequest, hub: Hub, makeID: (User, Int) -> NotificationID) {
        self.request = request
        self.hub = hub
        targets.reserveCapacity(request.targets.count)
        rows.reserveCapacity(request.targets.count)
        if request.targets.count == 1 {
            targets.append(AppendTarget(user: request.targets[0], notificationID: makeID(request.targets[0], 0)))
            rows.append(0)
            return
        }
        var places: [UserKey: Int] = [:]
        for user in request.targets {
            if let place = places[user.key] {
                rows.append(place)
            } else {
                places[user.key] = targets.count
                rows.append(targets.count)
                targets.append(AppendTarget(user: user, notificationID: makeID(user, targets.count)))
            }
        }
    }

    /// Stores all of it; calls back when Redis has answered everything.
    func append(mode: AppendMode, completion: @escaping (any NotifyWork) -> Void) {
        self.completion = completion
        hub.metrics.notifyTargets.increment(by: targets.count)
        hub.store.append(
            request.content,
            to: targets,
            ttlSeconds: request.ttlSeconds ?? hub.store.settings.notificationTTLSeconds,
            mode: mode,
            lookUpPods: !hub.pods.isAlone,
            observer: self
        )
    }

    /// As the sender was promised.
    var isStored: Bool { stored == targets.count && isReplicated }

    /// What the sender is told.
    var outcome: NotifyOutcome {
        isStored
            ? .accepted(answer(), isReplay: false)
            : .refused(isReplicated ? .redisAway(stored: stored, of: targets.count) : .notReplicated())
    }

    /// The body of the 202: one row for each user named, in the order of the request.
    func answer() -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(24 + rows.count * 112)
        buffer.writeStaticString("{\"results\":[")
        for (index, place) in rows.enumerated() {
            buffer.writeStaticString(index == 0 ? "{\"target\":" : ",{\"target\":")
            targets[place].user.writeJSON(into: &buffer)
            buffer.writeStaticString(",\"notification_id\":\"")
            buffer.writeString(targets[place].notificationID.text)
            buffer.writeStaticString("\"}")
        }
        buffer.writeStaticString("]}")
        return buffer
    }

    func appended(_ appended: AppendedEntry) {
        let target = targets[appended.index]
        let entry = EntryReference(streamID: appended.streamID, notificationID: target.notificationID)
        let user = target.user.key
        if appended.isNew { hub.metrics.notificationsSent.increment() }
        if request.collapseKey != nil { collapsing.append(UserEntry(user, entry)) }
        hub.pushed(entry, predecessor: appended.predecessor, content: request.content, of: user)
        guard !appended.otherPods.isEmpty else { return }
        var payload = ByteBuffer()
        request.content.writePayload(id: target.notificationID, target: target.user, into: &payload)
        let message = BusMessage.pushed(
            user,
            id: appended.streamID,
            predecessor: appended.predecessor,
            notificationID: target.notificationID,
            payload: payload
        )
        hub.bus.send(message, to: appended.otherPods)
    }

    func appendFinished(stored: Int) {
        guard let key = request.collapseKey, !collapsing.isEmpty else { return finish(stored: stored) }
        hub.collapse(collapsing, key: key) { [self] isDone in
            finish(stored: isDone ? stored : stored - collapsing.count)
        }
    }

    private func finish(stored: Int) {
        self.stored = stored
        guard stored > 0 else { return complete() }
        hub.store.replicated(targets) { [self] isReplicated in
            self.isReplicated = isReplicated
            complete()
        }
    }

    private func complete() {
        completion?(self)
        completion = nil
    }
}
