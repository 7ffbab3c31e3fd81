import CarillonDomain
import CarillonMetrics
import CarillonStore
import NIOCore

/// A notification for a topic on its way into Redis and to the sockets.
final class TopicPost: NotifyWork {
    private let hub: Hub
    private let request: NotifyRequest
    private let topic: Topic
    private let id: NotificationID
    private(set) var isStored = false
    private var isReplicated = true
    private var completion: ((any NotifyWork) -> Void)?

    init(request: NotifyRequest, topic: Topic, id: NotificationID, hub: Hub) {
        self.request = request
        self.topic = topic
        self.id = id
        self.hub = hub
    }

    func append(mode: AppendMode, completion: @escaping (any NotifyWork) -> Void) {
        self.completion = completion
        hub.metrics.notifyTargets.increment()
        hub.store.publish(
            request.content,
            to: topic,
            id: id,
            ttlSeconds: request.ttlSeconds ?? hub.store.settings.notificationTTLSeconds,
            mode: mode
        ) { [self] result in
            guard case .success(let published) = result else { return complete() }
            guard let published else { return confirm() }
            if published.isNew { hub.metrics.notificationsSent.increment() }
            tell(published)
            guard let key = request.collapseKey else { return confirm() }
            hub.collapse(published.entry, of: topic, key: key) { [self] isDone in
                if isDone { confirm() } else { complete() }
            }
        }
    }

    private func confirm() {
        hub.store.replicated(id, of: topic) { [self] isReplicated in
            self.isReplicated = isReplicated
            isStored = isReplicated
            complete()
        }
    }

    private func complete() {
        completion?(self)
        completion = nil
    }

    private func tell(_ published: PublishedEntry) {
        let others = hub.pods.others
        if !others.isEmpty {
            var payload = ByteBuffer()
            request.content.writePayload(id: id, audience: topic, into: &payload)
            let message = BusMessage.published(
                topic,
                id: published.entry.streamID,
                predecessor: published.predecessor,
                notificationID: id,
                payload: payload
            )
            hub.bus.send(message, to: Array(others))
        }
        hub.topics.published(
            published.entry,
            predecessor: published.predecessor,
            content: request.content,
            to: topic
        )
    }

    var outcome: NotifyOutcome {
        if isStored { return .accepted(answer(), isReplay: false) }
        return .refused(isReplicated ? .redisAway(stored: 0, of: 1) : .notReplicated())
    }

    func answer() -> ByteBuffer {
        ByteBuffer(string: "{\"notification_id\":\"\(id.text)\",\"audience\":\(topic.audienceJSON)}")
    }
}
