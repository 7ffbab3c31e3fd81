import CarillonTestSupport
import Foundation
import Synchronization

/// A user that no other test knows.
struct TestUser: Sendable {
    /// Decimal digits.
    let id: String
    let login: String

    private static let last = Atomic<Int>(1_000)

    init(id: String, login: String) {
        self.id = id
        self.login = login
    }

    /// A new user.
    init(login: String = "user") {
        self.init(id: String(Self.last.add(1, ordering: .relaxed).newValue), login: login)
    }

    var key: String { "\(id)-\(login)" }
    var json: String { "{\"id\":\(id),\"login\":\(WireJSON.quoted(login))}" }
    var stream: String { "stream:user:\(key)" }
    var state: String { "notification_state:\(key)" }
    var lock: String { "notif:lock:consumer:\(key)" }
    var retention: String { "notif:retention:\(key)" }

    /// As it stands in URLs.
    var query: String {
        let kept = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "_.-"))
        return "user_id=\(id)&login=\(login.addingPercentEncoding(withAllowedCharacters: kept) ?? login)"
    }
}

func newUUID() -> String { UUID().uuidString.lowercased() }

/// A notify request; `members` is further JSON text that starts with a comma.
func notifyBody(_ users: [TestUser], _ message: String, _ members: String = "") -> String {
    "{\"target\":[\(users.map(\.json).joined(separator: ","))],\"message\":\(WireJSON.quoted(message))\(members)}"
}

/// The JSON that names a notification in `notification.read`.
func pair(_ push: WireJSON) -> String {
    pair(push["notification_id"]?.string ?? "", push["stream_id"]?.string ?? "")
}

func pair(_ notification: String, _ stream: String) -> String {
    "{\"notification_id\":\"\(notification)\",\"stream_id\":\"\(stream)\"}"
}

/// A stream id as numbers that compare.
struct EntryID: Comparable {
    let milliseconds: UInt64
    let sequence: UInt64

    init?(_ text: String?) {
        let parts = (text ?? "").split(separator: "-")
        guard parts.count == 2, let milliseconds = UInt64(parts[0]), let sequence = UInt64(parts[1]) else { return nil }
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    static func < (left: EntryID, right: EntryID) -> Bool {
        (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
    }
}

/// Unix seconds of an RFC 3339 time in UTC, as all times of the hub are; nil for anything else.
func instant(_ text: String?) -> Double? {
    guard let text, text.hasSuffix("Z") else { return nil }
    let match = text.wholeMatch(of: /([0-9-]{10}T[0-9:]{8})(\.[0-9]{1,9})?Z/)
    guard let match, let date = try? Date("\(match.1)Z", strategy: .iso8601) else { return nil }
    return date.timeIntervalSince1970 + (match.2.flatMap { Double("0\($0)") } ?? 0)
}

extension [WireJSON] {
    /// The `message` members, in order.
    var texts: [String] { compactMap { $0["message"]?.string } }
    var streamIDs: [String] { compactMap { $0["stream_id"]?.string } }
    var notificationIDs: [String] { compactMap { $0["notification_id"]?.string } }
}
