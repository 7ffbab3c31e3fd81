import CarillonDomain
import CarillonMetrics
import CarillonStore
import CarillonTLS
import NIOCore

/// A notify request with an Idempotency-Key: reserve, append what is not there yet, settle, answer.
///
/// The ids follow from a seed that stands in the reservation before anything is stored. So whoever carries the request out, now
/// or after a crash, on this pod or another, makes the same notifications and gives the same answer.
final class KeyedNotify {
    private let notifier: Notifier
    private let request: NotifyRequest
    private let bodyHash: String
    private let completion: (NotifyOutcome) -> Void

    init(notifier: Notifier, request: NotifyRequest, body: ByteBuffer, completion: @escaping (NotifyOutcome) -> Void) {
        self.notifier = notifier
        self.request = request
        self.bodyHash = body.withUnsafeReadableBytes { Self.hex(Digest.sha256($0)) }
        self.completion = completion
    }

    func start(key: String) {
        let store = notifier.hub.store
        store.reserve(key: key, bodyHash: bodyHash, seed: notifier.makeSeed()) { [self] result in
            switch result {
            case .failure: completion(.refused(.redisAway()))
            case .success(.running): completion(.refused(.idempotencyKeyRunning))
            case .success(.otherBody): completion(.refused(.idempotencyKeyReused))
            case .success(.done(let seed)):
                notifier.hub.metrics.idempotentReplays.increment()
                completion(.accepted(work(seed).answer(), isReplay: true))
            case .success(.reserved(let reservation)): append(reservation)
            }
        }
    }

    private func append(_ reservation: Reservation) {
        work(reservation.seed).append(mode: .keyed(reservation)) { [self] work in
            notifier.hub.store.settle(reservation, done: work.isStored) { [self] isSettled in
                guard work.isStored else { return completion(work.outcome) }
                // Stored, but a repetition would find the reservation open: the sender must not take this for an end.
                completion(isSettled ? work.outcome : .refused(.redisAway()))
            }
        }
    }

    private func work(_ seed: String) -> any NotifyWork {
        if let topic = request.audience {
            return TopicPost(
                request: request,
                topic: topic,
                id: NotificationID(seed: seed, index: 0),
                hub: notifier.hub
            )
        }
        return NotifyBatch(request: request, hub: notifier.hub) { _, place in NotificationID(seed: seed, index: place) }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
