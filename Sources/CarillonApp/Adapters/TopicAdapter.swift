import CarillonDomain
import CarillonHTTP
import CarillonRealtime
import CarillonStore

/// The part of the inbox calls that is about topics: each stores, and says what the devices are to be told.
struct TopicAdapter: Sendable {
    let pod: PodHandle
    let reader: InboxReader
    let writer: InboxWriter

    func change(
        _ reference: TopicReference,
        _ verb: InboxVerb,
        of user: User
    ) async throws(Problem) -> InboxChange {
        let (entry, now) = (reference.entry, Timestamp.nowMilliseconds())
        let (action, until) = try await InboxAdapter.stored { () async throws(StoreError) -> (InboxAction, UInt64?) in
            switch verb {
            case .unread:
                try await writer.markUnread(ofTopic: entry, of: user.key)
                return (.unread, nil)
            case .seen:
                try await writer.mark(.seen, ofTopics: [entry], at: now, of: user.key)
                return (.seen, nil)
            case .archive:
                try await writer.mark(.archived, ofTopics: [entry], at: now, of: user.key)
                return (.archive, nil)
            case .unarchive:
                try await writer.unmark(.archived, ofTopic: entry, of: user.key)
                return (.unarchive, nil)
            case .snooze(let until):
                try await writer.snooze(reference, until: until, of: user.key)
                return (.snooze, until)
            case .unsnooze:
                try await writer.unmark(.snoozed, ofTopic: entry, of: user.key)
                return (.unsnooze, nil)
            }
        }
        return InboxChange(action, [entry], of: reference.topic, until: until)
    }

    func hide(_ reference: TopicReference, of user: User) async throws(Problem) -> InboxChange {
        try await InboxAdapter.stored { () async throws(StoreError) in
            try await writer.hide(reference.entry, at: Timestamp.nowMilliseconds(), of: user.key)
        }
        return InboxChange(.delete, [reference.entry], of: reference.topic)
    }

    /// Reads entries of one topic as a device does.
    func read(_ reads: [TopicReference], at time: UInt64, of user: User) async throws(Problem) -> InboxChange {
        let isStored = await pod.ask { (pod, done: @escaping (Bool) -> Void) in
            pod.hub.topics.read(reads, of: user.key, at: time, completion: done)
        }
        guard isStored else { throw .redisAway() }
        return InboxChange(.read, reads.map(\.entry), of: reads.first?.topic)
    }

    func report(on id: NotificationID, of topic: Topic, expiresAt: UInt64?) async throws(Problem) -> TopicReport {
        let report = try await InboxAdapter.stored { () async throws(StoreError) in
            try await reader.report(on: id, of: topic, expiresAt: expiresAt)
        }
        guard let report else { throw .notificationNotFound }
        return report
    }

    func withdraw(_ id: NotificationID, of topic: Topic) async throws(Problem) {
        let removed = try await InboxAdapter.stored { () async throws(StoreError) -> EntryReference? in
            guard let entry = try await reader.entry(id, of: topic) else { return nil }
            return try await writer.remove(entry, of: topic) ? entry : nil
        }
        guard let removed else { throw .notificationNotFound }
        await pod.run { $0.hub.topics.withdraw(removed, .withdraw, of: topic) }
    }

    func subscribe(_ user: User, to topic: Topic) async throws(Problem) -> [String] {
        try Self.channels(
            await pod.ask { (pod, done: @escaping (TopicDirectory.SubscribeResult) -> Void) in
                pod.hub.topics.subscribe(user.key, to: [topic], completion: done)
            }
        )
    }

    func unsubscribe(_ user: User, from topic: Topic) async throws(Problem) -> [String] {
        try Self.channels(
            await pod.ask { (pod, done: @escaping (TopicDirectory.SubscribeResult) -> Void) in
                pod.hub.topics.unsubscribe(user.key, from: [topic], completion: done)
            }
        )
    }

    private static func channels(_ result: TopicDirectory.SubscribeResult) throws(Problem) -> [String] {
        switch result {
        case .done(let channels): return channels
        case .tooMany: throw .tooManyChannels
        case .unavailable: throw .redisAway()
        }
    }
}

extension Problem {
    fileprivate static let tooManyChannels = Problem(
        status: 422,
        code: "limit",
        title: "Unprocessable Content",
        detail: "a user has at most \(Limits.subscriptions) channels"
    )
}
