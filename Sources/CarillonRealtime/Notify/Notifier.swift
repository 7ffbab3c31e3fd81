package import CarillonDomain
import CarillonMetrics
import CarillonStore
package import NIOCore

/// How a notify request ended.
package enum NotifyOutcome {
    /// Stored; the body of the 202.
    case accepted(ByteBuffer, isReplay: Bool)
    case refused(Problem)
}

/// Takes notify requests: parses, stores, answers, and pushes what was stored.
///
/// - Isolation: the event loop
package final class Notifier {
    let hub: Hub
    private let limits: NotifyLimits
    private var ids = NotificationIDGenerator()

    package init(hub: Hub, limits: NotifyLimits) {
        self.hub = hub
        self.limits = limits
    }

    /// Carries out the body of a `POST /api/v1/notify`.
    package func notify(
        _ body: ByteBuffer,
        idempotencyKey: String?,
        completion: @escaping (NotifyOutcome) -> Void
    ) {
        let start = NIODeadline.now()
        let request: NotifyRequest
        do throws(Problem) {
            request = try NotifyRequest.parse(body, limits: limits)
        } catch {
            return completion(.refused(error))
        }
        guard hub.store.isReady else { return completion(.refused(.redisAway())) }
        let finish = { [metrics = hub.metrics] (outcome: NotifyOutcome) in
            metrics.processingTime(eventType: request.type).observe((NIODeadline.now() - start).seconds)
            completion(outcome)
        }
        if let idempotencyKey {
            KeyedNotify(notifier: self, request: request, body: body, completion: finish).start(key: idempotencyKey)
        } else if let topic = request.audience {
            TopicPost(request: request, topic: topic, id: ids.next(), hub: hub).append(mode: .plain) { work in
                finish(work.outcome)
            }
        } else {
            let batch = NotifyBatch(request: request, hub: hub) { _, _ in ids.next() }
            batch.append(mode: .plain) { batch in finish(batch.outcome) }
        }
    }

    /// 128 random bits as text.
    func makeSeed() -> String { ids.next().text }
}

extension TimeAmount {
    fileprivate var seconds: Double { Double(nanoseconds) / 1e9 }
}

@available(*, unavailable)
extension Notifier: Sendable {}
