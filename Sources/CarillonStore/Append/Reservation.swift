package import CarillonDomain
import CarillonRedis
import CarillonTLS

/// A request with an Idempotency-Key that this pod may carry out.
package struct Reservation: Sendable {
    package let key: String
    /// The ids of the request's notifications follow from it, so that whoever resumes makes the same ones.
    package let seed: String
    /// Milliseconds of Redis's clock.
    package let reservedAt: UInt64
    package let leaseEnd: UInt64
    /// Nobody tried before us.
    package let isFirst: Bool
}

/// What Redis knows of an Idempotency-Key.
package enum ReservationOutcome: Sendable {
    case reserved(Reservation)
    /// Carried out before: the same answer, from the same ids.
    case done(seed: String)
    case running
    case otherBody
}

extension InboxStore {
    /// Reserves an Idempotency-Key for a day, or finds out what became of it.
    package func reserve(
        key: String,
        bodyHash: String,
        seed: String,
        completion: @escaping (Result<ReservationOutcome, StoreError>) -> Void
    ) {
        send("EVAL", arguments: 7) { arguments in
            arguments.bulk(Scripts.reserve)
            arguments.integer(1)
            arguments.key(Keys.idempotency(key))
            arguments.bulk(bodyHash)
            arguments.bulk(seed)
            arguments.integer(StoreSettings.idempotencyLeaseMilliseconds)
            arguments.integer(StoreSettings.idempotencySeconds)
        } reply: { result in
            completion(result.flatMap { Self.outcome(of: key, $0) })
        }
    }

    /// Says that a reservation was carried out, or gives it up so that the next try need not wait for the lease.
    package func settle(_ reservation: Reservation, done: Bool, completion: @escaping (Bool) -> Void) {
        send("EVAL", arguments: 5) { arguments in
            arguments.bulk(Scripts.settle)
            arguments.integer(1)
            arguments.key(Keys.idempotency(reservation.key))
            arguments.bulk(reservation.seed)
            arguments.bulk(done ? "done" as StaticString : "free")
        } reply: { result in
            completion((try? result.get()) != nil)
        }
    }

    private static func outcome(of key: String, _ reply: RedisReply) -> Result<ReservationOutcome, StoreError> {
        guard reply.kind == .array, reply.count == 4 else { return .failure(StoreError(refused: "unexpected reply")) }
        let seed = reply[1].string
        switch reply[0].string {
        case "done": return .success(.done(seed: seed))
        case "running": return .success(.running)
        case "mismatch": return .success(.otherBody)
        case let word:
            let reservation = Reservation(
                key: key,
                seed: seed,
                reservedAt: UInt64(reply[2].string) ?? 0,
                leaseEnd: UInt64(reply[3].string) ?? 0,
                isFirst: word == "first"
            )
            return .success(.reserved(reservation))
        }
    }
}

extension NotificationID {
    /// The id of the `index`th notification of a keyed request: SHA-256 of seed and index in the form of a version 4 UUID.
    package init(seed: String, index: Int) {
        var text = "\(seed):\(index)"
        let digest = text.withUTF8 { Digest.sha256(UnsafeRawBufferPointer($0)) }
        func word(_ start: Int) -> UInt64 { digest[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(randomBytes: (word(0), word(8)))
    }
}
