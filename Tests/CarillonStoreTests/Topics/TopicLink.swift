import CarillonDomain
import NIOCore
import Testing

@testable import CarillonStore

/// What storing a notification for a topic came to.
struct Publication: Sendable, Equatable {
    let id: StreamID
    let predecessor: StreamID?
    let isNew: Bool
}

extension StoreLink {
    var reader: InboxReader { InboxReader(redis: client, settings: settings) }
    var writer: InboxWriter { InboxWriter(redis: client, settings: settings) }

    /// Nil where nothing was stored, because it had been trimmed since.
    func publish(_ topic: Topic, _ id: String, ttl: Int = 900, mode: AppendMode = .plain) async throws -> Publication? {
        let result: Result<Publication?, StoreError> = try await call { parts, completion in
            parts.store.publish(
                try! NotifyRequest.test.content,
                to: topic,
                id: NotificationID(id),
                ttlSeconds: ttl,
                mode: mode
            ) { published in
                completion(
                    published.map { published in
                        published.map {
                            Publication(id: $0.entry.streamID, predecessor: $0.predecessor, isNew: $0.isNew)
                        }
                    }
                )
            }
        }
        return try result.get()
    }

    func subscribe(_ user: User, _ topics: [Topic]) async throws -> Bool {
        let result: Result<Bool, StoreError> = try await call { parts, completion in
            parts.store.subscribe(user.key, to: topics, completion: completion)
        }
        return try result.get()
    }

    /// Which of them were unread until now; nil where Redis did not confirm.
    func markRead(_ ids: [String], of topic: Topic, by user: User) async throws -> [String]? {
        try await call { (parts: Parts, completion: @escaping ([String]?) -> Void) in
            let entries = ids.map {
                TopicReference(topic, EntryReference(streamID: .zero, notificationID: NotificationID($0)))
            }
            parts.store.markRead(entries, of: user.key, at: 7) { new in
                completion(new?.map(\.entry.notificationID.text))
            }
        }
    }

    /// How many fields there are of what became of a topic's notifications, once this is written.
    func receipt(_ id: String, of topic: Topic, devices: Int, reads: Int, at time: UInt64) async throws -> Int {
        try await call { parts, completion in
            parts.store.writeReceipt(NotificationID(id), of: topic, devices: devices, reads: reads, at: time)
            parts.store.keepReceipts(of: topic, completion: completion)
        }
    }

    /// The notifications of a user's inbox, newest first.
    func inbox(_ user: User, _ filter: InboxFilter = InboxFilter()) async throws -> [String] {
        try await reader.entries(filter, of: user.key).map(\.entry.notificationID.text)
    }
}

extension Topic {
    static let orders = Topic("orders")!
    static let news = Topic("news")!
}
