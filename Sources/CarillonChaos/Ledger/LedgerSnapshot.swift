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
        /// Devices that never got it.
        package let missedDevices: Int
        /// The fault that excuses that it is gone.
        package let excuse: Int?
        package let isReadAcknowledged: Bool
        /// The fault that excuses that its read is gone.
        package let readExcuse: Int?
        /// Its payload cannot have expired, nor will it while Redis is looked at.
        package let isFresh: Bool
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
    /// By index of the user.
    package let users: [[Notification]]
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
        for (index, notification) in notifications.enumerated() {
            snapshots[notification.user].append(self.snapshot(index, notification, now))
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
            users: snapshots
        )
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
        let readExcuse = notification.readSaid.flatMap {
            faults.excuse(
                user: notification.user,
                from: $0,
                confirmed: notification.readAcknowledged ?? .distantFuture
            )
        }
        return LedgerSnapshot.Notification(
            index: index,
            token: notification.post,
            id: notification.id,
            streamID: notification.streamID,
            outcome: outcome,
            missedDevices: notification.owed.nonzeroBitCount,
            excuse: excuse(index),
            isReadAcknowledged: notification.readAcknowledged != nil,
            readExcuse: readExcuse,
            isFresh: now + Self.auditTime < post.firstSent + payloadLife
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
            if excuse(index) == nil { findings.add(.readUnanswered, "the read of \(describe(index))") }
        }
    }
}
