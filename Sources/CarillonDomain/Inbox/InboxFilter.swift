package import NIOCore

/// Which notifications a listing, a count or a verb for all of them is about.
package struct InboxFilter: Sendable {
    /// Whether hidden ones are meant.
    package enum Hidden: Sendable {
        case no
        case only
        case any
    }

    package var unreadOnly = false
    package var archived = Hidden.no
    package var snoozed = Hidden.no
    package var types: Set<String> = []
    package var channels: Set<String> = []
    /// RFC 3339 in UTC, as payloads hold it.
    package var from: Timestamp?
    package var to: Timestamp?
    /// Part of title or message, in lower case.
    package var words: String?
    /// Only newer entries.
    package var since: StreamID?

    package init() {}

    /// Whether payloads must be looked into.
    package var needsPayload: Bool {
        !types.isEmpty || !channels.isEmpty || from != nil || to != nil || words != nil
    }

    /// Whether an entry passes as far as its state tells.
    package func passes(_ entry: EntryReference, isRead: Bool, _ marks: InboxMarks, at now: UInt64) -> Bool {
        if unreadOnly && isRead { return false }
        if let since, entry.streamID <= since { return false }
        let id = entry.notificationID
        return archived.passes(marks.archived[id] != nil) && snoozed.passes(marks.isSnoozed(id, at: now))
    }

    /// Whether an entry passes as far as its payload tells.
    package func passes(_ payload: StoredPayload, streamID: StreamID) -> Bool {
        if !types.isEmpty, !types.contains(payload.text("type") ?? "") { return false }
        if !channels.isEmpty, !channels.contains(payload.text("channel") ?? "") { return false }
        if from != nil || to != nil {
            let created =
                payload.text("created_at").flatMap { Timestamp(rfc3339: $0) }
                ?? Timestamp(milliseconds: streamID.milliseconds)
            if let from, created < from { return false }
            if let to, created >= to { return false }
        }
        guard let words else { return true }
        return ["title", "message"].contains { payload.text($0)?.lowercased().contains(words) == true }
    }
}

extension InboxFilter.Hidden {
    fileprivate func passes(_ isHidden: Bool) -> Bool {
        switch self {
        case .no: !isHidden
        case .only: isHidden
        case .any: true
        }
    }
}
