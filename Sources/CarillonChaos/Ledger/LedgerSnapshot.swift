package import CarillonDomain
package import CarillonLoad
package import NIOCore

/// The ledger at the end of a run, to be compared with Redis.
package struct LedgerSnapshot: Sendable {
    package enum Outcome: Sendable {
        case accepted
        /// May be stored, once.
        case unknown
        /// Must not be stored.
        case refused
    }

    package struct Notification: Sendable {
        /// Tells it from all others of the run.
        package let index: Int
        package let token: Int
        package let id: LoadUUID?
        package let streamID: StreamID?
        package let outcome: Outcome
        /// Devices that never got it, those of all users where it is a topic's.
        package let missedDevices: Int
        /// The fault that excuses that it is gone.
        package let excuse: Int?
        package let isReadAcknowledged: Bool
        /// The fault that excuses that its read is gone.
        package let readExcuse: Int?
        /// Its payload cannot have expired, nor will it while Redis is looked at.
        package let isFresh: Bool
    }

    /// What Redis must hold of a user and a channel.
    package struct Subscription: Sendable {
        package let isOn: Bool
        /// Of the topic's entries that are stored, none up to here may be his, and all from `first` on must be.
        package let last: StreamID
        package let first: StreamID
    }

    /// What a user has to do with topics.
    package struct User: Sendable {
        /// Those that are certain.
        package var subscriptions: [Topic: Subscription] = [:]
        /// Reads that were acknowledged, and the fault that excuses that one is gone.
        package var reads: [LoadUUID: Int?] = [:]
    }

    package struct Fault: Sendable {
        package let record: FaultRecord
        /// From the run's first booking.
        package let began: TimeAmount
        /// nil where it was not ended.
        package let length: TimeAmount?
        /// From its end; nil where not everything recovered.
        package let timeToRecover: TimeAmount?
        package let latency: LatencyHistogram
        package let answers: LatencyHistogram
        /// Notifications that were not delivered everywhere, and are excused by it.
        package let undelivered: Set<Int>
    }

    package let counts: Ledger.Counts
    package let findings: Findings
    package let faults: [Fault]
    package let deliveries: Latencies
    package let answers: Latencies
    /// Notifications that some device never got, without an excuse.
    package let lost: Set<Int>
    /// By index of the user: what was for him alone.
    package let users: [[Notification]]
    package let topics: [Topic: [Notification]]
    /// By index of the user.
    package let listeners: [User]
}

extension Ledger {
    /// Time that looking at Redis may take.
    private static let auditTime = TimeAmount.minutes(2)

    /// Closes the book: what is still owed is lost or excused. Nothing may be booked after it.
    package func snapshot() -> LedgerSnapshot {
        finish()
        let now = clock()
        let start = faults.windows.first.map { min($0.began, posts.first?.firstSent ?? $0.began) } ?? now
        var snapshots = [[LedgerSnapshot.Notification]](repeating: [], count: users.count)
        var topics: [Topic: [LedgerSnapshot.Notification]] = [:]
        for (index, notification) in notifications.enumerated() where notification.original == index {
            let snapshot = self.snapshot(index, notification, now)
            if let user = notification.user { snapshots[user].append(snapshot) }
            if let topic = posts[notification.post].topic { topics[topic, default: []].append(snapshot) }
        }
        let faults = faults.windows.enumerated().map { number, window in
            LedgerSnapshot.Fault(
                record: window.record,
                began: window.began - start,
                length: window.ended.map { $0 - window.began },
                timeToRecover: window.recovered.flatMap { recovered in window.ended.map { recovered - $0 } },
                latency: window.latency,
                answers: window.answers,
                undelivered: excused[number] ?? []
            )
        }
        return LedgerSnapshot(
            counts: counts,
            findings: findings,
            faults: faults,
            deliveries: deliveries,
            answers: answers,
            lost: lost,
            users: snapshots,
            topics: topics,
            listeners: listeners()
        )
    }

    private func listeners() -> [LedgerSnapshot.User] {
        var listeners = users.map { user in
            LedgerSnapshot.User(
                subscriptions: user.subscriptions.filter { isCertain($1) }.reduce(into: [:]) { all, known in
                    all[known.key] = snapshot(known.value, of: known.key)
                }
            )
        }
        for (index, notification) in notifications.enumerated() where notification.original != index {
            guard let user = notification.user, notification.readAcknowledged != nil, excuse(index) == nil,
                let id = notifications[notification.original].id
            else { continue }
            listeners[user].reads[id] = readExcuse(notification)
        }
        return listeners
    }

    private func snapshot(_ subscription: BookedSubscription, of topic: Topic) -> LedgerSnapshot.Subscription {
        var (last, first) = (StreamID.zero, StreamID.max)
        for post in posts where post.topic == topic {
            // What a fault may have taken may have been before a subscription that was begun anew after it.
            guard let accepted = post.acceptedAt, let id = notifications[post.firstNotification].streamID,
                excuse(post.firstNotification) == nil
            else { continue }
            if accepted < subscription.beganAt { last = max(last, id) }
            if let confirmed = subscription.confirmedAt, post.firstSent >= confirmed { first = min(first, id) }
        }
        return LedgerSnapshot.Subscription(isOn: subscription.isOn, last: last, first: first)
    }

    private func readExcuse(_ notification: BookedNotification) -> Int? {
        notification.readSaid.flatMap {
            faults.excuse(
                user: posts[notification.post].topic == nil ? notification.user : nil,
                from: $0,
                confirmed: notification.readAcknowledged ?? .distantFuture
            )
        }
    }

    private func snapshot(
        _ index: Int,
        _ notification: BookedNotification,
        _ now: NIODeadline
    ) -> LedgerSnapshot.Notification {
        let post = posts[notification.post]
        let outcome: LedgerSnapshot.Outcome =
            switch post.outcome {
            case .accepted: .accepted
            case .refused: .refused
            case .pending, .unknown: .unknown
            }
        let missed = ([index] + post.copies.values).reduce(0) { $0 + notifications[$1].owed.nonzeroBitCount }
        return LedgerSnapshot.Notification(
            index: index,
            token: notification.post,
            id: notification.id,
            streamID: notification.streamID,
            outcome: outcome,
            missedDevices: missed,
            excuse: excuse(index),
            isReadAcknowledged: notification.readAcknowledged != nil,
            readExcuse: readExcuse(notification),
            isFresh: now + Self.auditTime < post.expires
        )
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        for token in posts.indices where posts[token].outcome == .pending { gaveUp(token, mayBeStored: true) }
        for index in owing where notifications[index].owed != 0 {
            if let fault = excuse(index) {
                excused[fault, default: []].insert(index)
            } else {
                lost.insert(index)
                let missed = notifications[index].owed.nonzeroBitCount
                findings.add(.notDelivered, "\(describe(index)) never reached \(missed) of its devices")
            }
        }
        for (number, device) in devices.enumerated() where !device.isLive && device.wasLive {
            findings.add(.notBack, "device \(number) of user \(device.user) never came back")
        }
        for (index, notification) in notifications.enumerated()
        where notification.readSaid != nil && notification.readAcknowledged == nil && !notification.isReadRefused {
            if excuse(index) == nil, isCertainlyHis(index) {
                findings.add(.readUnanswered, "the read of \(describe(index))")
            }
        }
    }
}
