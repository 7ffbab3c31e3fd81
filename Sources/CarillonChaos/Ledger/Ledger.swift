internal import CarillonDomain
internal import CarillonLoad
package import NIOCore

/// The book of a run: what was posted and accepted, what each device got, what was read, which faults ran. What it finds
/// wrong is in `findings`.
///
/// It does no I/O and looks at no clock but the one it was given.
///
/// A notification is owed to each device of its user that was live before the acceptance, over however many connections.
/// Due is a delivery a second after the acceptance, after the device's last attempt to connect, or after it woke, whichever is
/// last; where a fault touches the time between post and then, five seconds after that fault's end.
/// - Isolation: the event loop
package final class Ledger {
    /// Devices of one user, because they are bits of a word.
    package static let devicesPerUser = 64

    package struct Counts: Sendable {
        package var posts = 0
        /// Posts that were due and not sent, because all connections waited for answers.
        package var postsSkipped = 0
        /// Notifications of posts that were answered 202.
        package var accepted = 0
        /// First pushes of notifications to devices that they were owed to, or that heard of them before the answer.
        package var delivered = 0
        /// Those of topics among the accepted and the delivered.
        package var topicsAccepted = 0
        package var topicsDelivered = 0
        /// Subscriptions and their ends that a device was told of.
        package var subscriptionsChanged = 0
        /// Deliveries of topics that were owed no more because the user unsubscribed meanwhile.
        package var unsubscribed = 0
        /// Pushes of what the device had from an earlier connection.
        package var deliveredAgain = 0
        /// Deliveries that a full replay rightly left out: read, and older than the last hundred.
        package var leftOut = 0
        package var readsSaid = 0
        package var readsAcknowledged = 0
        /// Answers 503.
        package var refused = 0
        /// Notifications that nobody knows to be stored or not.
        package var unknown = 0
        /// Connections that ended other than by the device's wish.
        package var connectionsLost = 0
    }

    let clock: () -> NIODeadline
    /// Life of the payloads of what is posted from now on.
    package var payloadLife: TimeAmount
    var faults = FaultBook()
    var posts: [BookedPost] = []
    var notifications: [BookedNotification] = []
    var devices: [BookedDevice] = []
    var users: [BookedUser] = []
    var byID: [LoadUUID: Int] = [:]
    /// Accepted notifications that were owed to somebody, in the order of acceptance.
    var owing: [Int] = []
    /// The first of `owing` that still is; what is before it is settled.
    var firstOwing = 0
    /// Passed over in `owing` because a fault may have taken them; if it did not, they still come.
    var doubtful: [Int] = []
    var missingDevices = 0
    /// Faults that ended and are not recovered from.
    var recovering: [Int] = []
    /// From the accepted try of a post, or the beginning of the device's connection, to the push.
    var deliveries = Latencies()
    /// From the accepted try of a post to its 202.
    var answers = Latencies()
    /// Notifications that are not delivered everywhere, by the fault that excuses it.
    var excused: [Int: Set<Int>] = [:]
    var lost: Set<Int> = []
    var isFinished = false
    package internal(set) var counts = Counts()
    package internal(set) var findings = Findings()

    /// - Parameters:
    ///   - payloadLife: `NOTIFICATION_TTL` of the pods; until then no payload may be gone. It may be changed.
    ///   - clock: What time it is.
    package init(payloadLife: Duration = .seconds(900), clock: @escaping () -> NIODeadline = { .now() }) {
        self.payloadLife = TimeAmount(payloadLife)
        self.clock = clock
    }

    // MARK: - Faults

    /// A fault begins now. - Returns: its number.
    package func faultBegan(_ fault: FaultRecord) -> Int { faults.begin(fault, at: clock()) }

    /// The moment of the healing.
    package func faultEnded(_ fault: Int) {
        guard faults.windows[fault].ended == nil else { return }
        faults.end(fault, at: clock())
        recovering.append(fault)
        settle()
    }

    /// Whether everything that must be delivered was, what a fault may have taken has had its time to come, and all devices
    /// are back.
    package var isSettled: Bool {
        advance()
        let now = clock()
        let isCalm = !faults.touches(from: now, to: now)
        doubtful.removeAll { notifications[$0].owed == 0 || isCalm }
        return firstOwing == owing.count && doubtful.isEmpty && missingDevices == 0
    }

    /// Looks which faults are recovered from by now.
    func settle() {
        guard !recovering.isEmpty, missingDevices == 0 else { return }
        advance()
        let oldest = firstOwing < owing.count ? posts[notifications[owing[firstOwing]].post].acceptedAt : nil
        let now = clock()
        recovering.removeAll { fault in
            if let oldest, let ended = faults.windows[fault].ended, oldest <= ended { return false }
            faults.recover(fault, at: now)
            return true
        }
    }

    /// Passes over what is delivered, and what a fault excuses if it never is.
    private func advance() {
        while firstOwing < owing.count {
            let index = owing[firstOwing]
            if notifications[index].owed != 0 {
                guard excuse(index) != nil else { return }
                doubtful.append(index)
            }
            firstOwing += 1
        }
    }

    /// The fault that excuses that the notification is gone.
    func excuse(_ index: Int) -> Int? {
        let notification = notifications[index]
        let post = posts[notification.post]
        return faults.excuse(
            user: post.topic == nil ? notification.user : nil,
            from: post.firstSent,
            confirmed: post.acceptedAt ?? .distantFuture
        )
    }

    /// The notification in words.
    func describe(_ index: Int) -> String {
        let notification = notifications[index]
        let stored = notifications[notification.original]
        let id = stored.id.map { " \($0)" } ?? ""
        let stream = stored.streamID.map { " (\($0))" } ?? ""
        let topic = posts[notification.post].topic.map { " for @\($0.name)" } ?? ""
        let user = notification.user.map { " to user \($0)" } ?? ""
        return "post \(notification.post)\(topic)\(user)\(id)\(stream)"
    }

    func seconds(_ time: TimeAmount) -> String { "\(time.nanoseconds / 1_000_000) ms" }
}

@available(*, unavailable)
extension Ledger: Sendable {}
