package import CarillonDomain
import CarillonRedis

/// What became of one notification, as far as it was written down.
package struct Receipt: Sendable {
    /// Connections that were given it.
    package private(set) var devices = 0
    /// When the first of them was, in milliseconds since 1970.
    package private(set) var deliveredAt: UInt64?
    package private(set) var readAt: UInt64?

    package init() {}

    /// What a user knows of a topic's notification.
    init(readAt: UInt64?) { self.readAt = readAt }

    /// The fields that `notif:receipts:{user}` has for a notification, each behind its id and a colon.
    enum Field {
        /// When it was read.
        static let read = "read"
        /// Connections that were given it in a replay, and when the first of them was.
        static let replays = "replays"
        static let replayed = "replayed"
    }

    fileprivate mutating func add(_ field: Substring, _ value: String) {
        switch String(field) {
        case Field.read: readAt = UInt64(value)
        case Field.replays: devices += Int(value) ?? 0
        default: delivered(at: UInt64(value))
        }
    }

    fileprivate mutating func add(_ run: DeliveryRun, _ id: StreamID) {
        devices += run.devices
        delivered(at: max(run.at, id.milliseconds))
    }

    private mutating func delivered(at time: UInt64?) {
        if let time { deliveredAt = min(deliveredAt ?? time, time) }
    }
}

/// Entries that a pod pushed one after the other to the same devices, leaving none out.
package struct DeliveryRun: Sendable {
    package let first: StreamID
    package var last: StreamID
    package let devices: Int
    /// When the first was pushed, in milliseconds since 1970.
    package let at: UInt64

    package init(first: StreamID, devices: Int, at: UInt64) {
        self.first = first
        self.last = first
        self.devices = devices
        self.at = at
    }

    /// Parses a field and its value; nil where they are not those of a run.
    init?(field: Substring, value: String) {
        let parts = value.split(separator: " ")
        guard parts.count == 3, let first = StreamID(field), let last = StreamID(parts[0]), let devices = Int(parts[1]),
            let time = UInt64(parts[2])
        else { return nil }
        self.init(first: first, devices: devices, at: time)
        self.last = last
    }

    var value: String { "\(last) \(devices) \(at)" }
}

/// Everything that `notif:receipts:{user}` holds.
struct Receipts {
    private var receipts: [NotificationID: Receipt] = [:]
    private var runs: [DeliveryRun] = []

    init(_ value: RedisValue) {
        for (field, value) in value.table {
            guard let colon = field.lastIndex(of: ":") else { continue }
            let name = field[field.index(after: colon)...]
            if let run = DeliveryRun(field: name, value: value) {
                runs.append(run)
            } else {
                receipts[NotificationID(String(field[..<colon])), default: Receipt()].add(name, value)
            }
        }
    }

    subscript(_ entry: EntryReference) -> Receipt {
        var receipt = receipts[entry.notificationID] ?? Receipt()
        for run in runs where run.first <= entry.streamID && entry.streamID <= run.last {
            receipt.add(run, entry.streamID)
        }
        return receipt
    }

    /// A topic's notification has no place in the user's stream, and so in none of its runs.
    subscript(ofTopic id: NotificationID) -> Receipt { receipts[id] ?? Receipt() }

    /// When a topic's notification was read stands elsewhere.
    mutating func noteRead(_ id: NotificationID, at time: UInt64) { receipts[id] = Receipt(readAt: time) }

    /// Whether a field says nothing of any of these entries, oldest first, any more.
    static func isOutdated(field: String, value: String, kept: [StoredEntry], ids: Set<String>) -> Bool {
        guard let colon = field.lastIndex(of: ":") else { return true }
        if let run = DeliveryRun(field: field[field.index(after: colon)...], value: value) {
            return kept.first.map { run.last < $0.id } ?? true
        }
        return !ids.contains(String(field[..<colon]))
    }
}

/// Something to be written down of a notification.
package enum ReceiptEvent: Sendable {
    /// They were pushed to devices of this pod.
    case pushed(DeliveryRun)
    /// A device that connected was given it.
    case replayed(NotificationID, at: UInt64)
    /// It was read.
    case read(NotificationID, at: UInt64)
    /// The same, where it may have been read before: the first time stays.
    case readAgain(NotificationID, at: UInt64)
}

extension InboxStore {
    /// Writes down what became of a user's notifications: one command for all pushes and reads.
    ///
    /// - Source: Redis commands HSET, HSETNX, HINCRBY
    package func writeReceipts(_ events: [ReceiptEvent], of user: UserKey) {
        var fields: [(field: String, value: String)] = []
        for event in events {
            switch event {
            case .pushed(let run): fields.append(("\(settings.runID):\(run.first)", run.value))
            case .read(let id, let time): fields.append(("\(id.text):\(Receipt.Field.read)", "\(time)"))
            case .readAgain(let id, let time): setOnce("\(id.text):\(Receipt.Field.read)", time, user)
            case .replayed(let id, let time):
                send("HINCRBY", arguments: 3) { arguments in
                    arguments.key(Keys.receipts(user))
                    arguments.bulk("\(id.text):\(Receipt.Field.replays)")
                    arguments.integer(1)
                }
                setOnce("\(id.text):\(Receipt.Field.replayed)", time, user)
            }
        }
        guard !fields.isEmpty else { return }
        send("HSET", arguments: 1 + fields.count * 2) { arguments in
            arguments.key(Keys.receipts(user))
            for (field, value) in fields {
                arguments.bulk(field)
                arguments.bulk(value)
            }
        }
    }

    private func setOnce(_ field: String, _ time: UInt64, _ user: UserKey) {
        send("HSETNX", arguments: 3) { arguments in
            arguments.key(Keys.receipts(user))
            arguments.bulk(field)
            arguments.integer(time)
        }
    }
}
