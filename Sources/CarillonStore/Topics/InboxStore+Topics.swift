package import CarillonDomain
import CarillonRedis

/// Part of a topic's stream, oldest first.
package struct TopicPart: Sendable {
    package let entries: [StoredEntry]
    /// The highest id that the stream had given before the entries were read.
    package let lastID: StreamID
}

extension InboxStore {
    /// The newest entries of a topic.
    package func read(_ topic: Topic, completion: @escaping (Result<TopicPart, StoreError>) -> Void) {
        lastGeneratedID(in: Keys.topic(topic)) { [self] last in
            send("XREVRANGE", arguments: 5) { arguments in
                arguments.key(Keys.topic(topic))
                arguments.bulk("+" as StaticString)
                arguments.bulk("-" as StaticString)
                arguments.bulk("COUNT" as StaticString)
                arguments.integer(settings.streamMaxLength)
            } reply: { entries in
                completion(
                    last.flatMap { last in
                        entries.map { TopicPart(entries: $0.streamEntries.reversed(), lastID: last ?? .zero) }
                    }
                )
            }
        }
    }

    /// What came to a topic after `id`, oldest first.
    package func read(
        _ topic: Topic,
        after id: StreamID,
        count: Int,
        completion: @escaping (Result<[StoredEntry], StoreError>) -> Void
    ) {
        send("XRANGE", arguments: 5) { arguments in
            arguments.key(Keys.topic(topic))
            arguments.bulk("(\(id)")
            arguments.bulk("+" as StaticString)
            arguments.bulk("COUNT" as StaticString)
            arguments.integer(count)
        } reply: {
            completion($0.map(\.streamEntries))
        }
    }

    package func newestEntryID(of topic: Topic, completion: @escaping (Result<StreamID?, StoreError>) -> Void) {
        newestEntryID(in: Keys.topic(topic), completion: completion)
    }

    package func lastGeneratedID(of topic: Topic, completion: @escaping (Result<StreamID?, StoreError>) -> Void) {
        lastGeneratedID(in: Keys.topic(topic), completion: completion)
    }

    // MARK: - What a user has to do with topics

    package func topicRecord(of user: UserKey, completion: @escaping (Result<TopicRecord?, StoreError>) -> Void) {
        send("HGETALL", arguments: 1) {
            $0.key(Keys.topics(user))
        } reply: {
            completion($0.map(\.topicRecord))
        }
    }

    /// Whether a topic holds an entry that is the user's.
    package func holds(
        _ read: TopicReference,
        for user: UserKey,
        completion: @escaping (Result<Bool, StoreError>) -> Void
    ) {
        topicRecord(of: user) { [self] record in
            switch record {
            case .failure(let error): return completion(.failure(error))
            case .success(let record):
                let isHis = record?.has(read.entry, of: read.topic) ?? (read.topic == .everybody)
                guard isHis else { return completion(.success(false)) }
            }
            self.read(read.topic, after: read.entry.streamID.predecessor, count: 1) { entries in
                completion(entries.map { $0.first?.reference == read.entry })
            }
        }
    }

    /// A sign of the user: what is known of him and topics lives on.
    package func keepTopics(of user: UserKey) {
        send("EXPIRE", arguments: 2) { arguments in
            arguments.key(Keys.topics(user))
            arguments.integer(Limits.topicSeconds)
        }
    }

    /// Subscribes the user to what comes from now on.
    ///
    /// - Parameter completion: Whether it is stored; false where he would have too many subscriptions.
    package func subscribe(
        _ user: UserKey,
        to topics: [Topic],
        completion: @escaping (Result<Bool, StoreError>) -> Void
    ) {
        let read = LastIDs(count: topics.count) { [self] result in
            guard case .success(let lastIDs) = result else { return completion(result.map { _ in false }) }
            send("EVAL", arguments: 5 + 2 * topics.count) { arguments in
                arguments.bulk(Scripts.subscribe)
                arguments.integer(1)
                arguments.key(Keys.topics(user))
                arguments.integer(Limits.subscriptions)
                arguments.integer(Limits.topicSeconds)
                for (topic, id) in zip(topics, lastIDs) {
                    arguments.bulk(TopicRecord.subscription + topic.name)
                    arguments.bulk(id.text)
                }
            } reply: {
                completion($0.map { $0.integer == 1 })
            }
        }
        for (index, topic) in topics.enumerated() {
            lastGeneratedID(in: Keys.topic(topic)) { read.answered($0, index) }
        }
    }

    package func unsubscribe(_ user: UserKey, from topics: [Topic], completion: @escaping (Bool) -> Void) {
        send("HDEL", arguments: 1 + topics.count) { arguments in
            arguments.key(Keys.topics(user))
            for topic in topics { arguments.bulk(TopicRecord.subscription + topic.name) }
        } reply: {
            completion((try? $0.get()) != nil)
        }
    }

    /// Marks entries of topics as read; the first time stays.
    ///
    /// - Parameter completion: Hears which of them were unread until now; nil where Redis did not confirm.
    package func markRead(
        _ entries: [TopicReference],
        of user: UserKey,
        at time: UInt64,
        completion: @escaping ([TopicReference]?) -> Void
    ) {
        let marking = TopicReading(entries, completion: completion)
        for (index, read) in entries.enumerated() {
            redis.send("HSETNX", arguments: 3, to: marking, tag: index) { arguments in
                arguments.key(Keys.topics(user))
                arguments.bulk(TopicRecord.read + read.entry.notificationID.text)
                arguments.integer(time)
            }
        }
        keepTopics(of: user)
    }

    // MARK: - What became of a topic's notifications

    /// Adds to what is known of a topic's notification.
    package func writeReceipt(_ id: NotificationID, of topic: Topic, devices: Int, reads: Int, at time: UInt64) {
        if devices > 0 {
            add(devices, to: "\(id.text):\(TopicReceipt.devices)", topic)
            send("HSETNX", arguments: 3) { arguments in
                arguments.key(Keys.receipts(topic))
                arguments.bulk("\(id.text):\(TopicReceipt.first)")
                arguments.integer(time)
            }
        }
        if reads > 0 { add(reads, to: "\(id.text):\(TopicReceipt.reads)", topic) }
    }

    /// Has what is known of a topic's notifications live as long as its stream.
    ///
    /// - Parameter completion: Hears how many fields there are.
    package func keepReceipts(of topic: Topic, completion: @escaping (Int) -> Void) {
        send("EXPIRE", arguments: 2) { arguments in
            arguments.key(Keys.receipts(topic))
            arguments.integer(TopicReceipt.seconds)
        }
        send("HLEN", arguments: 1) {
            $0.key(Keys.receipts(topic))
        } reply: {
            completion(Int((try? $0.get().integer) ?? 0))
        }
    }

    private func add(_ count: Int, to field: String, _ topic: Topic) {
        send("HINCRBY", arguments: 3) { arguments in
            arguments.key(Keys.receipts(topic))
            arguments.bulk(field)
            arguments.integer(count)
        }
    }
}

/// The fields of `notif:topic-receipts:{topic}`, each behind the notification's id and a colon.
enum TopicReceipt {
    static let devices = "devices"
    static let first = "first"
    static let reads = "reads"
    /// A topic and all about it lives so long after its last notification: a day longer than subscriptions.
    static let seconds = Limits.topicSeconds + 86_400
}

/// The last ids of several topics.
private final class LastIDs {
    private let completion: (Result<[StreamID], StoreError>) -> Void
    private var ids: [StreamID]
    private var missing: Int
    private var error: StoreError?

    init(count: Int, completion: @escaping (Result<[StreamID], StoreError>) -> Void) {
        ids = Array(repeating: .zero, count: count)
        missing = count
        self.completion = completion
    }

    func answered(_ result: Result<StreamID?, StoreError>, _ index: Int) {
        switch result {
        case .success(let id): ids[index] = id ?? .zero
        case .failure(let error): self.error = error
        }
        missing -= 1
        if missing == 0 { completion(error.map { .failure($0) } ?? .success(ids)) }
    }
}

private final class TopicReading: RedisReceiver {
    private let entries: [TopicReference]
    private let completion: ([TopicReference]?) -> Void
    private var new: [TopicReference] = []
    private var hasFailed = false

    init(_ entries: [TopicReference], completion: @escaping ([TopicReference]?) -> Void) {
        self.entries = entries
        self.completion = completion
    }

    func received(_ reply: RedisReply, tag: Int) {
        if reply.integer == 1 { new.append(entries[tag]) }
        answered(tag)
    }

    func failed(_ error: RedisError, tag: Int) {
        hasFailed = true
        answered(tag)
    }

    private func answered(_ tag: Int) {
        if tag == entries.count - 1 { completion(hasFailed ? nil : new) }
    }
}
