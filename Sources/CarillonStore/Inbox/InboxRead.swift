package import CarillonDomain
import CarillonRedis
package import NIOCore

/// Which part of a user's stream to read.
package enum InboxRange: Sendable {
    /// The newest entries, at most `count`.
    case newest(count: Int)
    /// What came after `id`, oldest first, at most `count`.
    case after(StreamID, count: Int)
    /// The newest `count` entries between two ids, both exclusive.
    case between(since: StreamID?, before: StreamID?, count: Int)
}

/// Part of a user's stream, oldest first, with what he did with it.
package struct InboxPart: Sendable {
    package let entries: [StoredEntry]
    /// The ids in the user's state hash.
    package let read: Set<NotificationID>
    /// What he saw, archived and snoozed.
    package let marks: InboxMarks
    /// What he has to do with topics, where that was asked for; nil where there is nothing.
    package let topics: TopicRecord?

    package init(
        entries: [StoredEntry],
        read: Set<NotificationID>,
        marks: InboxMarks = InboxMarks(),
        topics: TopicRecord? = nil
    ) {
        self.entries = entries
        self.read = read
        self.marks = marks
        self.topics = topics
    }

    package func isRead(_ entry: StoredEntry) -> Bool { entry.notificationID.map(read.contains) ?? false }

    /// Unread, and neither archived nor snoozed at that moment.
    package func countsAsUnread(_ entry: StoredEntry, at now: UInt64) -> Bool {
        guard let id = entry.notificationID else { return false }
        return !read.contains(id) && !marks.isHidden(id, at: now)
    }
}

extension InboxStore {
    /// Reads entries, read state and marks in one go: XREVRANGE or XRANGE, and HGETALL twice (as small as the stream is), or three
    /// times with what the user has to do with topics.
    package func read(
        _ range: InboxRange,
        of user: UserKey,
        withTopics: Bool = false,
        completion: @escaping (Result<InboxPart, StoreError>) -> Void
    ) {
        // Who said before that he holds devices of the user must have been heard: what is added from now on, he is told.
        redis.settled(Keys.presence(user)) { [self] in
            let last = withTopics ? InboxRead.topics : InboxRead.marks
            send(range, user, InboxRead(isNewestFirst: range.isNewestFirst, last: last, completion: completion))
        }
    }

    private func send(_ range: InboxRange, _ user: UserKey, _ read: InboxRead) {
        switch range {
        case .newest(let count): sendNewestFirst(user, before: nil, since: nil, count, read)
        case .between(let since, let before, let count):
            sendNewestFirst(user, before: before, since: since, count, read)
        case .after(let id, let count):
            redis.send("XRANGE", arguments: 5, to: read, tag: InboxRead.entries) { arguments in
                arguments.key(Keys.stream(user))
                Self.bound(id, orElse: "-", &arguments)
                arguments.bulk("+" as StaticString)
                arguments.bulk("COUNT" as StaticString)
                arguments.integer(count)
            }
        }
        redis.send("HGETALL", arguments: 1, to: read, tag: InboxRead.state) { $0.key(Keys.state(user)) }
        redis.send("HGETALL", arguments: 1, to: read, tag: InboxRead.marks) { $0.key(Keys.marks(user)) }
        if read.last == InboxRead.topics {
            redis.send("HGETALL", arguments: 1, to: read, tag: InboxRead.topics) { $0.key(Keys.topics(user)) }
        }
    }

    private func sendNewestFirst(
        _ user: UserKey,
        before: StreamID?,
        since: StreamID?,
        _ count: Int,
        _ read: InboxRead
    ) {
        redis.send("XREVRANGE", arguments: 5, to: read, tag: InboxRead.entries) { arguments in
            arguments.key(Keys.stream(user))
            Self.bound(before, orElse: "+", &arguments)
            Self.bound(since, orElse: "-", &arguments)
            arguments.bulk("COUNT" as StaticString)
            arguments.integer(count)
        }
    }

    /// An exclusive bound, or the end of the stream.
    private static func bound(_ id: StreamID?, orElse end: StaticString, _ arguments: inout RedisArguments) {
        if let id { arguments.bulk("(\(id)") } else { arguments.bulk(end) }
    }

    /// The id of the stream's newest entry; nil where it has none.
    package func newestEntryID(of user: UserKey, completion: @escaping (Result<StreamID?, StoreError>) -> Void) {
        newestEntryID(in: Keys.stream(user), completion: completion)
    }

    func newestEntryID(in stream: RedisKey, completion: @escaping (Result<StreamID?, StoreError>) -> Void) {
        send("XREVRANGE", arguments: 5) { arguments in
            arguments.key(stream)
            arguments.bulk("+" as StaticString)
            arguments.bulk("-" as StaticString)
            arguments.bulk("COUNT" as StaticString)
            arguments.bulk("1" as StaticString)
        } reply: { result in
            completion(result.map { $0.count > 0 ? $0[0][0].streamID : nil })
        }
    }

    /// The highest id that the stream ever gave, even if its entry is gone; nil where there is no stream.
    package func lastGeneratedID(of user: UserKey, completion: @escaping (Result<StreamID?, StoreError>) -> Void) {
        lastGeneratedID(in: Keys.stream(user), completion: completion)
    }

    func lastGeneratedID(in stream: RedisKey, completion: @escaping (Result<StreamID?, StoreError>) -> Void) {
        send("XINFO", arguments: 2) { arguments in
            arguments.bulk("STREAM" as StaticString)
            arguments.key(stream)
        } reply: { result in
            switch result {
            case .success(let info):
                let field = stride(from: 0, to: info.count - 1, by: 2).first { info[$0].equals("last-generated-id") }
                completion(.success(field.flatMap { info[$0 + 1].streamID }))
            case .failure(let error) where error.detail.contains("no such key"): completion(.success(nil))
            case .failure(let error): completion(.failure(error))
            }
        }
    }

    /// The payloads of `ids` in their order, nil where one has expired.
    package func payloads(
        of ids: [NotificationID],
        completion: @escaping (Result<[ByteBuffer?], StoreError>) -> Void
    ) {
        guard !ids.isEmpty else { return completion(.success([])) }
        let read = PayloadRead(count: ids.count, completion: completion)
        for (index, id) in ids.enumerated() {
            redis.send("GET", arguments: 1, to: read, tag: index) { $0.key(Keys.payload(id)) }
        }
    }
}

extension InboxStore {
    /// Those of `ids` whose payloads are gone.
    package func expired(
        _ ids: [NotificationID],
        completion: @escaping (Result<[NotificationID], StoreError>) -> Void
    ) {
        guard !ids.isEmpty else { return completion(.success([])) }
        let check = ExistenceCheck(ids, completion: completion)
        for (index, id) in ids.enumerated() {
            redis.send("EXISTS", arguments: 1, to: check, tag: index) { $0.key(Keys.payload(id)) }
        }
    }
}

extension InboxRange {
    fileprivate var isNewestFirst: Bool {
        switch self {
        case .newest, .between: true
        case .after: false
        }
    }
}

private final class InboxRead: RedisReceiver {
    static let entries = 0
    static let state = 1
    static let marks = 2
    static let topics = 3

    private let isNewestFirst: Bool
    private let completion: (Result<InboxPart, StoreError>) -> Void
    private var entries: [StoredEntry] = []
    private var read: Set<NotificationID> = []
    private var marks = InboxMarks()
    private var record: TopicRecord?
    let last: Int
    private var error: StoreError?

    init(isNewestFirst: Bool, last: Int, completion: @escaping (Result<InboxPart, StoreError>) -> Void) {
        self.isNewestFirst = isNewestFirst
        self.last = last
        self.completion = completion
    }

    /// What happens to an entry while it is read shows in what is read later.
    func lane(of tag: Int) -> Int? { 0 }

    func received(_ reply: RedisReply, tag: Int) {
        switch tag {
        case Self.entries:
            entries = reply.streamEntries
            if isNewestFirst { entries.reverse() }
        case Self.state: read = Set(reply.hashFields { $0.equals("read") }.map(NotificationID.init))
        case Self.marks: marks = reply.inboxMarks
        default: record = reply.topicRecord
        }
        answered(tag)
    }

    func failed(_ error: RedisError, tag: Int) {
        // A key of the wrong type is somebody's mistake; of the user's marks it holds none.
        if tag < Self.marks || error.serverCode != "WRONGTYPE" { self.error = StoreError(error) }
        answered(tag)
    }

    private func answered(_ tag: Int) {
        guard tag == last else { return }
        let part = InboxPart(entries: entries, read: read, marks: marks, topics: record)
        completion(error.map { .failure($0) } ?? .success(part))
    }
}

private final class PayloadRead: RedisReceiver {
    private let completion: (Result<[ByteBuffer?], StoreError>) -> Void
    private var missing: Int
    private var payloads: [ByteBuffer?]
    private var error: StoreError?

    init(count: Int, completion: @escaping (Result<[ByteBuffer?], StoreError>) -> Void) {
        self.completion = completion
        self.missing = count
        self.payloads = Array(repeating: nil, count: count)
    }

    func received(_ reply: RedisReply, tag: Int) {
        payloads[tag] = reply.buffer
        answered()
    }

    func failed(_ error: RedisError, tag: Int) {
        // A key of the wrong type is somebody's mistake; for us it holds no payload.
        if error.serverCode != "WRONGTYPE" { self.error = StoreError(error) }
        answered()
    }

    private func answered() {
        missing -= 1
        guard missing == 0 else { return }
        if let error { completion(.failure(error)) } else { completion(.success(payloads)) }
    }
}

private final class ExistenceCheck: RedisReceiver {
    private let ids: [NotificationID]
    private let completion: (Result<[NotificationID], StoreError>) -> Void
    private var expired: [NotificationID] = []
    private var missing: Int
    private var error: StoreError?

    init(_ ids: [NotificationID], completion: @escaping (Result<[NotificationID], StoreError>) -> Void) {
        self.ids = ids
        self.missing = ids.count
        self.completion = completion
    }

    func received(_ reply: RedisReply, tag: Int) {
        if reply.integer == 0 { expired.append(ids[tag]) }
        answered()
    }

    func failed(_ error: RedisError, tag: Int) {
        self.error = StoreError(error)
        answered()
    }

    private func answered() {
        missing -= 1
        guard missing == 0 else { return }
        if let error { completion(.failure(error)) } else { completion(.success(expired)) }
    }
}
