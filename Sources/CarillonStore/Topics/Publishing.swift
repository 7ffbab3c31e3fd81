package import CarillonDomain
import CarillonRedis
import NIOCore

/// A notification that stands in the stream of a topic.
package struct PublishedEntry {
    package let entry: EntryReference
    /// The entry right before it; nil where another writer came between, so that it cannot be told.
    package let predecessor: StreamID?
    /// False where an earlier try of a keyed request had added it.
    package let isNew: Bool
}

extension InboxStore {
    /// Stores a notification for a topic: payload first, then the stream entry, then a look at the entry before it.
    ///
    /// - Cost: four commands, however many are subscribed
    /// - Parameter completion: Nil where an earlier try of a keyed request had stored it, and it was trimmed since.
    package func publish(
        _ content: NotificationContent,
        to topic: Topic,
        id: NotificationID,
        ttlSeconds: Int,
        mode: AppendMode,
        completion: @escaping (Result<PublishedEntry?, StoreError>) -> Void
    ) {
        let publishing = Publishing(topic, id, store: self, completion: completion)
        payloadBuffer.clear()
        content.writePayload(id: id, audience: topic, into: &payloadBuffer)
        writes.send("SET", arguments: 4, to: publishing, tag: Publishing.payload) { arguments in
            arguments.key(Keys.payload(id))
            arguments.bulk(payloadBuffer)
            arguments.bulk("EX" as StaticString)
            arguments.integer(ttlSeconds)
        }
        send(id, to: topic, mode, publishing)
        writes.send("XREVRANGE", arguments: 5, to: publishing, tag: Publishing.predecessor) { arguments in
            arguments.key(Keys.topic(topic))
            arguments.bulk("+" as StaticString)
            arguments.bulk("-" as StaticString)
            arguments.bulk("COUNT" as StaticString)
            arguments.bulk("2" as StaticString)
        }
        // Behind the entry: there is no stream that could be given a life before it.
        writes.send("EXPIRE", arguments: 2, to: publishing, tag: Publishing.life) { arguments in
            arguments.key(Keys.topic(topic))
            arguments.integer(TopicReceipt.seconds)
        }
    }

    private func send(_ id: NotificationID, to topic: Topic, _ mode: AppendMode, _ publishing: Publishing) {
        switch mode {
        case .plain:
            writes.send("XADD", arguments: 7, to: publishing, tag: Publishing.entry) { arguments in
                arguments.key(Keys.topic(topic))
                arguments.bulk("MAXLEN" as StaticString)
                arguments.bulk("~" as StaticString)
                arguments.integer(settings.streamMaxLength)
                arguments.bulk("*" as StaticString)
                arguments.bulk("nid" as StaticString)
                arguments.bulk(id.text)
            }
        case .keyed(let reservation):
            writes.send("EVAL", arguments: 7, to: publishing, tag: Publishing.entry) { arguments in
                arguments.bulk(Scripts.appendOnce)
                arguments.integer(1)
                arguments.key(Keys.topic(topic))
                arguments.bulk(id.text)
                arguments.integer(reservation.reservedAt)
                arguments.integer(reservation.isFirst ? reservation.leaseEnd : 0)
                arguments.integer(settings.streamMaxLength)
            }
        }
    }
}

private final class Publishing: RedisReceiver {
    static let payload = 0
    static let entry = 1
    static let predecessor = 2
    static let life = 3

    private let topic: Topic
    private let id: NotificationID
    private let store: InboxStore
    private let completion: (Result<PublishedEntry?, StoreError>) -> Void
    private var error: StoreError?
    private var hasPayload = false
    private var streamID: StreamID?
    private var isNew = true

    init(
        _ topic: Topic,
        _ id: NotificationID,
        store: InboxStore,
        completion: @escaping (Result<PublishedEntry?, StoreError>) -> Void
    ) {
        self.topic = topic
        self.id = id
        self.store = store
        self.completion = completion
    }

    /// An entry before its payload would look expired.
    func lane(of tag: Int) -> Int? { 0 }

    func received(_ reply: RedisReply, tag: Int) {
        switch tag {
        case Self.payload: hasPayload = true
        case Self.entry: entryReceived(reply)
        case Self.predecessor: finish(predecessor(in: reply))
        default: break
        }
    }

    func failed(_ error: RedisError, tag: Int) {
        switch tag {
        // Who cannot tell the predecessor has stored all the same.
        case Self.predecessor: finish(nil)
        case Self.life: break
        default: self.error = StoreError(error)
        }
    }

    private func entryReceived(_ reply: RedisReply) {
        if reply.kind == .array {
            streamID = reply[0].streamID
            isNew = reply[1].integer != 1
        } else {
            streamID = reply.streamID
        }
        // An entry whose payload was refused must not stand there; one of an earlier try may have its payload still.
        guard !hasPayload, isNew, let streamID else { return }
        store.send("XDEL", arguments: 2) { arguments in
            arguments.key(Keys.topic(topic))
            arguments.bulk(milliseconds: streamID.milliseconds, sequence: streamID.sequence)
        }
    }

    /// Usable only if the newest entry is the one just added; then no second entry means that it is the first of all.
    private func predecessor(in reply: RedisReply) -> StreamID? {
        guard let streamID, reply.count > 0, reply[0].streamEntry?.id == streamID else { return nil }
        return reply.count > 1 ? reply[1].streamEntry?.id : .zero
    }

    private func finish(_ predecessor: StreamID?) {
        if let error { return completion(.failure(error)) }
        let published = streamID.map { streamID in
            let entry = EntryReference(streamID: streamID, notificationID: id)
            return PublishedEntry(entry: entry, predecessor: predecessor, isNew: isNew)
        }
        completion(.success(published))
    }
}
