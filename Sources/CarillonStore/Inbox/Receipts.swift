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

    /// The fields that `notif:receipts:{user}` has for a notification, each behind its id and a colon.
    enum Field {
        /// When it was read.
        static let read = "read"
        /// Connections that were given it in a replay, and when the first of them was.
        static let replays = "replays"
        static let replayed = "replayed"
        // Any other is the run of a pod that pushed it: how many devices, a space, and when.
    }

    mutating func add(_ field: Substring, _ value: String) {
        switch String(field) {
        case Field.read: readAt = UInt64(value)
        case Field.replays: devices += Int(value) ?? 0
        case Field.replayed: delivered(at: UInt64(value))
        default:
            let parts = value.split(separator: " ")
            devices += parts.first.flatMap { Int($0) } ?? 0
            delivered(at: parts.last.flatMap { UInt64($0) })
        }
    }

    private mutating func delivered(at time: UInt64?) {
        if let time { deliveredAt = min(deliveredAt ?? time, time) }
    }

    /// The receipts in the fields of `notif:receipts:{user}`.
    static func all(in value: RedisValue) -> [NotificationID: Receipt] {
        var receipts: [NotificationID: Receipt] = [:]
        let fields = value.array ?? []
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            guard let field = fields[index].string, let colon = field.lastIndex(of: ":") else { continue }
            let id = NotificationID(String(field[..<colon]))
            receipts[id, default: Receipt()].add(field[field.index(after: colon)...], fields[index + 1].string ?? "")
        }
        return receipts
    }
}

/// Something to be written down of a notification.
package enum ReceiptEvent: Sendable {
    /// It was pushed to so many devices of this pod.
    case pushed(NotificationID, devices: Int, at: UInt64)
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
            case .pushed(let id, let devices, let time):
                fields.append(("\(id.text):\(settings.runID)", "\(devices) \(time)"))
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
