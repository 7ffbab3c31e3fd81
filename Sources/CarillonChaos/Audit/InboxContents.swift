internal import CarillonDomain
internal import CarillonLoad
internal import CarillonTestSupport

/// All that is a user's by what Redis holds: his own stream, and his part of the topics'.
struct InboxContents {
    struct Entry {
        let place: EntryPlace
        let id: String
        let isRead: Bool
    }

    /// By the channel, the id behind which its entries are his.
    private var subscriptions: [Topic: StreamID] = [:]
    /// Ids of topics' notifications that he read.
    private var read: Set<String> = []
    /// In the order of things. Those without a payload are left out.
    private(set) var entries: [Entry] = []
    private var lastIDs: [Topic?: StreamID] = [:]

    /// - Parameter topics: All topics of the run.
    static func read(
        _ user: FleetUser,
        topics: some Sequence<Topic>,
        from redis: WireRedis
    ) async throws -> InboxContents {
        var inbox = InboxContents()
        for (field, value) in try await redis(["HGETALL", "notif:topics:\(user.key)"]).pairs {
            let parts = field.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            if parts[0] == "sub" {
                inbox.subscriptions[Topic(stored: parts[1])] = value.string.flatMap { StreamID($0) }
            }
            if parts[0] == "read" { inbox.read.insert(String(parts[1])) }
        }
        let own = try await StreamContents.read(user, from: redis)
        try await inbox.add(own, of: nil, after: .zero, read: own.read, redis)
        for topic in topics {
            guard let since = topic == .everybody ? .zero : inbox.subscriptions[topic] else { continue }
            try await inbox.add(try await .read(topic, from: redis), of: topic, after: since, read: inbox.read, redis)
        }
        inbox.entries.sort { $0.place < $1.place }
        return inbox
    }

    private mutating func add(
        _ contents: StreamContents,
        of topic: Topic?,
        after since: StreamID,
        read: Set<String>,
        _ redis: WireRedis
    ) async throws {
        lastIDs[topic] = contents.entries.last?.streamID
        let his = contents.entries.filter { $0.streamID > since }
        let gone = Set(try await redis.missing(of: his.map { "notification:\($0.id)" }))
        for entry in his where !gone.contains("notification:\(entry.id)") {
            let place = EntryPlace(entry.streamID, in: topic)
            entries.append(Entry(place: place, id: entry.id, isRead: read.contains(entry.id)))
        }
    }

    var unreadCount: Int { entries.count { !$0.isRead } }

    var topics: [Topic] { [.everybody] + subscriptions.keys }

    /// The last entry of a stream, his own where nil.
    func lastID(of topic: Topic?) -> StreamID? { lastIDs[topic] }

    /// What a full replay shows: the last hundred of each stream, and of older ones those that are unread.
    var replayed: [Entry] {
        var rest: [Topic?: Int] = [:]
        for entry in entries { rest[entry.place.topic, default: 0] += 1 }
        return entries.filter { entry in
            defer { rest[entry.place.topic, default: 0] -= 1 }
            return rest[entry.place.topic, default: 0] <= Limits.replayEntries || !entry.isRead
        }
    }

    /// What differs from the subscriptions that the ledger is certain of, in words.
    func differences(from listener: LedgerSnapshot.User) -> [String] {
        listener.subscriptions.compactMap { topic, known in
            guard let since = subscriptions[topic] else {
                return known.isOn ? "the subscription to @\(topic.name) is lost" : nil
            }
            if !known.isOn { return "still subscribed to @\(topic.name)" }
            return known.last <= since && since < known.first
                ? nil
                : "hears of @\(topic.name) after \(since) instead of after \(known.last) and from \(known.first) on"
        }
    }

    /// Acknowledged reads of topics' notifications that are not stored, without an excuse.
    func lostReads(of listener: LedgerSnapshot.User) -> [String] {
        listener.reads.filter { $0.value == nil }.keys.map(\.text).filter { !read.contains($0) }
    }
}
