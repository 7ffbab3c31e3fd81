/// Which part of a user's inbox is asked for: `GET /api/v1/notifications`.
package struct InboxQuery: Sendable {
    /// Where a page begins.
    package enum Start: Sendable {
        case offset(Int)
        /// Behind this entry, which was the last of the page before.
        case cursor(EntryPlace)
    }

    package let filter: InboxFilter
    package let limit: Int
    package let start: Start
    /// Seconds to wait for a change; nil where the answer is wanted at once.
    package let wait: Int?

    package static let limits = 1...100
    package static let defaultLimit = 20
    package static let offsets = 0...100_000
    package static let waits = 0...60

    /// Reads a query string.
    ///
    /// - Throws: `Problem` with the name of the parameter that is wrong.
    package init(_ parameters: QueryParameters) throws(Problem) {
        filter = try InboxFilter(parameters)
        limit = try parameters.number("limit", in: Self.limits) ?? Self.defaultLimit
        wait = try parameters.number("wait", in: Self.waits).flatMap { $0 == 0 ? nil : $0 }
        let offset = try parameters.number("offset", in: Self.offsets)
        let page = try parameters.number("page", in: 1...Self.offsets.upperBound)
        let cursor = parameters["cursor"]
        guard [offset != nil, page != nil, cursor != nil].count(where: { $0 }) <= 1 else {
            throw .badParameter("cursor", "only one of cursor, offset and page can be given")
        }
        if let cursor {
            guard let place = EntryPlace(cursor) else {
                throw .badParameter("cursor", "must be the next_cursor of an earlier answer")
            }
            start = .cursor(place)
        } else {
            var first = offset ?? 0
            if let page { first = (page - 1) * limit }
            start = .offset(first)
        }
    }

    /// The page that `start` is the beginning of, from 1.
    package var page: Int {
        if case .offset(let offset) = start { offset / limit + 1 } else { 1 }
    }
}

extension InboxFilter {
    /// Reads the parameters that narrow a listing down.
    package init(_ parameters: QueryParameters) throws(Problem) {
        unreadOnly = try parameters.flag("unread_only") ?? false
        archived = try parameters.hidden("archived")
        snoozed = try parameters.hidden("snoozed")
        types = try parameters.words("notification_type", or: "type", limit: Limits.typeBytes)
        channels = try parameters.words("channel", limit: Limits.channelBytes)
        from = try parameters.time("from")
        to = try parameters.time("to")
        if let text = parameters["q"], !text.isEmpty {
            guard text.utf8.count <= Limits.searchBytes else {
                throw .badParameter("q", "must be at most \(Limits.searchBytes) bytes")
            }
            words = text.lowercased()
        }
        if let text = parameters["since"], !text.isEmpty {
            guard let position = StreamPosition(text) else { throw .badPosition }
            since = position
        }
    }
}

extension Problem {
    /// A `since` that cannot be read.
    package static let badPosition = badParameter(
        "since",
        "must be a stream id such as 1640995200000-0, or one for each stream, separated by commas"
    )
}

extension QueryParameters {
    /// Channels to subscribe to, separated by commas; empty where it is not given.
    package func topics(_ name: String) throws(Problem) -> [Topic] {
        guard has(name) else { return [] }
        let names = (self[name] ?? "").parts(at: ",")
        let topics = names.compactMap { Topic($0) }
        guard topics.count == names.count, topics.count <= Limits.channelsPerFrame else {
            throw .badParameter(name, "must be 1 to \(Limits.channelsPerFrame) names, each of which \(Topic.nameRule)")
        }
        return topics
    }

    /// `true` or `false`; nil where it is not given.
    package func flag(_ name: String) throws(Problem) -> Bool? {
        switch self[name] {
        case nil where has(name): throw .badParameter(name, "must be true or false")
        case nil: nil
        case "true", "1": true
        case "false", "0": false
        default: throw .badParameter(name, "must be true or false")
        }
    }

    fileprivate func number(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard has(name) else { return nil }
        guard let text = self[name], let number = Int(text), range.contains(number), text.first?.isNumber == true else {
            throw .badParameter(name, "must be \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    fileprivate func hidden(_ name: String) throws(Problem) -> InboxFilter.Hidden {
        guard has(name) else { return .no }
        switch self[name] {
        case "true"?, "1"?: return .only
        case "false"?, "0"?: return .no
        case "any"?: return .any
        default: throw .badParameter(name, "must be true, false or any")
        }
    }

    /// Several words, separated by commas.
    fileprivate func words(_ name: String, or other: String? = nil, limit: Int) throws(Problem) -> Set<String> {
        let given = has(name) ? name : other ?? name
        guard has(given) else { return [] }
        let words = (self[given] ?? "").parts(at: ",").map(String.init)
        guard words.count <= Limits.filterWords, words.allSatisfy({ (1...limit).contains($0.utf8.count) }) else {
            throw .badParameter(given, "must be 1 to \(Limits.filterWords) words of 1 to \(limit) bytes")
        }
        return Set(words)
    }

    fileprivate func time(_ name: String) throws(Problem) -> Timestamp? {
        guard has(name) else { return nil }
        guard let text = self[name], let time = Timestamp(rfc3339: text) else {
            throw .badParameter(name, "must be an RFC 3339 date and time, such as 2024-01-01T12:00:00Z")
        }
        return time
    }
}
