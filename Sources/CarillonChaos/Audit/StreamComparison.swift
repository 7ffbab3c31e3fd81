internal import CarillonDomain
internal import CarillonLoad
internal import CarillonTestSupport

/// What Redis holds of one user's or topic's stream beside the ledger's part of it.
struct StreamComparison {
    /// Whose stream it is: a login, or `@` and a topic's name.
    let name: String
    let contents: StreamContents
    private let mayLackPayloads: Bool
    private(set) var report = AuditReport()
    private var byID: [String: LedgerSnapshot.Notification] = [:]
    private var byToken: [Int: LedgerSnapshot.Notification] = [:]
    /// Where each notification of the ledger was found, by its index.
    private var found: [Int: StreamContents.Entry] = [:]
    private var ids: Set<String> = []

    /// - Parameter mayLackPayloads: Entries that nobody was told of may be there without their payloads.
    init(
        name: String,
        contents: StreamContents,
        notifications: [LedgerSnapshot.Notification],
        mayLackPayloads: Bool
    ) {
        self.mayLackPayloads = mayLackPayloads
        self.name = name
        self.contents = contents
        for notification in notifications {
            byToken[notification.token] = notification
            if let id = notification.id { byID[id.text] = notification }
        }
    }

    /// Compares everything. Redis is asked for payloads on the way.
    mutating func run(_ redis: WireRedis) async throws {
        for entry in contents.entries { try await match(entry, redis) }
        for notification in byToken.values { check(notification) }
        try await checkPayloads(redis)
        report.stored = contents.entries.count
        report.read = contents.entries.count { contents.read.contains($0.id) }
    }

    private mutating func match(_ entry: StreamContents.Entry, _ redis: WireRedis) async throws {
        guard ids.insert(entry.id).inserted else {
            report.findings.add(
                .storedTwice,
                "\(name): \(entry.id) is in the stream twice, at \(entry.streamID) too"
            )
            return
        }
        var notification = byID[entry.id]
        if notification == nil {
            // Nobody was told its id: the text says whose it is.
            guard let payload = try await redis(["GET", "notification:\(entry.id)"]).string else {
                // Of a post that was never accepted, a fail-over may have taken the one and left the other.
                guard !mayLackPayloads else { return }
                report.findings.add(.payloadLost, "\(name): \(entry.id) at \(entry.streamID), which nobody knows")
                return
            }
            let text = try? WireJSON.parse(payload)["message"]?.string
            notification = text.flatMap { MessageToken.read($0) }.flatMap { byToken[$0] }
        }
        guard let notification else {
            report.findings.add(.unexpected, "\(name): \(entry.id) at \(entry.streamID) was never posted")
            return
        }
        if let other = found.updateValue(entry, forKey: notification.index) {
            guard notification.copyExcuse == nil else { return }
            report.findings.add(
                .storedTwice,
                "\(name): post \(notification.token) is stored as \(other.id) and as \(entry.id)"
            )
        }
        if notification.outcome == .refused {
            report.findings.add(.unexpected, "\(name): post \(notification.token) was refused and is stored")
        }
    }

    private mutating func check(_ notification: LedgerSnapshot.Notification) {
        guard let entry = found[notification.index] else {
            // What may have expired may have been cleaned.
            guard notification.outcome == .accepted, notification.isFresh else { return }
            if let excuse = notification.excuse {
                report.excused[excuse, default: []].insert(notification.index)
            } else {
                report.lost.insert(notification.index)
                let id = notification.id.map { " \($0)" } ?? ""
                report.findings.add(.notStored, "\(name): post \(notification.token)\(id) is not in the stream")
            }
            return
        }
        if notification.missedDevices > 0, notification.excuse != nil {
            report.lost.insert(notification.index)
            report.findings.add(
                .notDelivered,
                "\(name): \(entry.id) (\(entry.streamID)) is stored, so no fault excuses that it never reached "
                    + "\(notification.missedDevices) of its devices"
            )
        }
        guard notification.isReadAcknowledged, !contents.read.contains(entry.id) else { return }
        if let excuse = notification.readExcuse {
            report.excusedReads[excuse, default: 0] += 1
        } else {
            report.findings.add(.readLost, "\(name): the read of \(entry.id) (\(entry.streamID)) is not stored")
        }
    }

    private mutating func checkPayloads(_ redis: WireRedis) async throws {
        let fresh = byToken.values.filter { notification in
            let excuse = notification.outcome == .accepted ? notification.excuse : notification.copyExcuse
            return notification.isFresh && excuse == nil
        }
        let ids = fresh.compactMap { found[$0.index]?.id }
        for key in try await redis.missing(of: ids.map { "notification:\($0)" }) {
            report.findings.add(.payloadLost, "\(name): \(key) is gone")
        }
    }
}
