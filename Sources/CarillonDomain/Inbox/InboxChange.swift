/// What was done to notifications of a user, by himself or by their sender.
package enum InboxAction: String, CaseIterable, Sendable {
    case read
    case unread
    case seen
    case archive
    case unarchive
    case snooze
    case unsnooze
    case delete
    /// The sender took it back.
    case withdraw
    /// A newer notification with the same `collapse_key` replaced it.
    case collapse
    /// Nothing but the number of unread ones is told.
    case count

    /// The entries are gone.
    package var removes: Bool {
        switch self {
        case .delete, .withdraw, .collapse: true
        case .read, .unread, .seen, .archive, .unarchive, .snooze, .unsnooze, .count: false
        }
    }
}

/// A change that all devices of a user are told of.
package struct InboxChange: Sendable {
    package let action: InboxAction
    /// At most `InboxChange.largest`.
    package let entries: [EntryReference]
    /// For `snooze`: until when, in milliseconds since 1970.
    package let until: UInt64?

    /// Entries that one frame names.
    package static let largest = 100

    package init(_ action: InboxAction, _ entries: [EntryReference], until: UInt64? = nil) {
        self.action = action
        self.entries = entries
        self.until = until
    }

    /// The same change in as many parts as it takes.
    package static func parts(
        _ action: InboxAction,
        _ entries: [EntryReference],
        until: UInt64? = nil
    ) -> [InboxChange] {
        stride(from: 0, to: entries.count, by: largest).map { start in
            InboxChange(action, Array(entries[start..<min(start + largest, entries.count)]), until: until)
        }
    }
}
