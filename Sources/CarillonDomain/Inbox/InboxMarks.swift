/// What a user did with notifications besides reading them: the fields of `notif:inbox:{user}`.
///
/// Each mark is a field of its own, so that setting and taking one is a single command and two devices cannot undo each other's.
package struct InboxMarks: Sendable {
    /// Milliseconds since 1970 at which each was seen.
    package private(set) var seen: [NotificationID: UInt64] = [:]
    /// The same for archived ones.
    package private(set) var archived: [NotificationID: UInt64] = [:]
    /// Until when each is snoozed.
    package private(set) var snoozed: [NotificationID: UInt64] = [:]

    /// The kinds of fields.
    package enum Kind: String, CaseIterable, Sendable {
        case seen
        case archived
        case snoozed

        /// The field of one notification: `seen:{uuid}`.
        package func field(_ id: NotificationID) -> String { "\(rawValue):\(id.text)" }
    }

    package init() {}

    /// Takes a field as it is stored; what is not ours is passed over.
    package mutating func add(field: some StringProtocol, value: some StringProtocol) {
        guard let (name, notification) = field.halves(at: ":"), let kind = Kind(rawValue: String(name)),
            let time = UInt64(value)
        else { return }
        let id = NotificationID(String(notification))
        switch kind {
        case .seen: seen[id] = time
        case .archived: archived[id] = time
        case .snoozed: snoozed[id] = time
        }
    }

    /// Takes the marks of other notifications too.
    package mutating func add(_ other: InboxMarks) {
        seen.merge(other.seen) { $1 }
        archived.merge(other.archived) { $1 }
        snoozed.merge(other.snoozed) { $1 }
    }

    /// The notifications that there are marks of.
    package var ids: Set<NotificationID> { Set(seen.keys).union(archived.keys).union(snoozed.keys) }

    /// The notification that a field of the hash is about: the one of a mark, or the last with a collapse key.
    package static func notification(field: String, value: String) -> String {
        if field.rest(behind: "collapse:") != nil { return value.parts(at: " ").last.map(String.init) ?? "" }
        return field.halves(at: ":").map { String($0.1) } ?? field
    }

    /// Not shown and not counted at that moment.
    package func isHidden(_ id: NotificationID, at now: UInt64) -> Bool {
        archived[id] != nil || isSnoozed(id, at: now)
    }

    package func isSnoozed(_ id: NotificationID, at now: UInt64) -> Bool { snoozed[id].map { $0 > now } ?? false }

    package var isEmpty: Bool { seen.isEmpty && archived.isEmpty && snoozed.isEmpty }

    /// Writes `,"seen":true` and so on, as far as it is so.
    package func writeMembers(_ id: NotificationID, at now: UInt64, into text: inout String) {
        guard !isEmpty else { return }
        if seen[id] != nil { text += ",\"seen\":true" }
        if archived[id] != nil { text += ",\"archived\":true" }
        if let until = snoozed[id], until > now {
            text += ",\"snoozed_until\":\"\(Timestamp(milliseconds: until).text)\""
        }
    }
}
