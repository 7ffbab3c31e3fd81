import CarillonDomain
import CarillonRedis
import NIOCore
import Testing

@testable import CarillonStore

/// Idempotency-Keys: what is reserved, and how entries are added under a reservation.
@Suite struct ReservationTests {
    private let alice = User.test(1, "alice")

    private func reserve(
        _ link: StoreLink,
        _ hash: String = "h",
        seed: String = "s",
        key: String = "k"
    ) async throws -> ReservationOutcome {
        let result: Result<ReservationOutcome, StoreError> = try await link.call { parts, completion in
            parts.store.reserve(key: key, bodyHash: hash, seed: seed, completion: completion)
        }
        return try result.get()
    }

    private func reservation(_ outcome: ReservationOutcome) throws -> Reservation {
        guard case .reserved(let reservation) = outcome else { throw StoreError(refused: "\(outcome)") }
        return reservation
    }

    private func settle(_ link: StoreLink, _ reservation: Reservation, done: Bool) async throws -> Bool {
        try await link.call { parts, completion in
            parts.store.settle(reservation, done: done, completion: completion)
        }
    }

    private func isRunning(_ outcome: ReservationOutcome) -> Bool {
        if case .running = outcome { true } else { false }
    }

    private func isOtherBody(_ outcome: ReservationOutcome) -> Bool {
        if case .otherBody = outcome { true } else { false }
    }

    // MARK: - Reserving

    @Test func theFirstOneIsReserved() async throws {
        try await StoreLink.with { link in
            let before = UInt64(try await link.now())
            let first = try reservation(try await reserve(link))
            #expect(first.isFirst && first.key == "k" && first.seed == "s")
            #expect((before...before + 10_000).contains(first.reservedAt))
            #expect(first.leaseEnd == first.reservedAt + 5_000)
            #expect((86_390...86_400).contains(try await link.redis("TTL", "notif:idem:k").integer ?? 0))
            #expect(
                try await link.redis("HGETALL", "notif:idem:k").table == [
                    "hash": "h", "seed": "s", "state": "running", "lease": "\(first.leaseEnd)",
                    "at": "\(first.reservedAt)",
                ]
            )
        }
    }

    @Test func anotherOneWaitsIsRefusedOrIsAnswered() async throws {
        try await StoreLink.with { link in
            let first = try reservation(try await reserve(link))
            #expect(isRunning(try await reserve(link, seed: "t")))
            #expect(isOtherBody(try await reserve(link, "g")))
            #expect(try await settle(link, first, done: true))
            guard case .done(let seed) = try await reserve(link, seed: "t") else {
                throw StoreError(refused: "not done")
            }
            #expect(seed == "s")
            #expect(isOtherBody(try await reserve(link, "g")))
            #expect(try reservation(try await reserve(link, key: "other")).isFirst)
        }
    }

    @Test(arguments: [true, false])
    func aLeaseThatIsOverIsResumed(isGivenUp: Bool) async throws {
        try await StoreLink.with { link in
            let first = try reservation(try await reserve(link))
            if isGivenUp {
                #expect(try await settle(link, first, done: false))
            } else {
                try await link.redis("HSET", "notif:idem:k", "lease", "\(try await link.now() - 1)")
            }
            let second = try reservation(try await reserve(link, seed: "t"))
            #expect(!second.isFirst)
            #expect(second.seed == "s")
            #expect(second.reservedAt == first.reservedAt)
            #expect(second.leaseEnd >= first.leaseEnd)
            #expect(isRunning(try await reserve(link, seed: "u")))
        }
    }

    @Test func givingUpAfterAnotherOneWasDoneChangesNothing() async throws {
        try await StoreLink.with { link in
            let first = try reservation(try await reserve(link))
            #expect(try await settle(link, first, done: true))
            #expect(try await settle(link, first, done: false))
            guard case .done = try await reserve(link) else { throw StoreError(refused: "not done") }
        }
    }

    @Test func aReservationOfAnotherSeedIsNotSettled() async throws {
        try await StoreLink.with { link in
            let first = try reservation(try await reserve(link))
            try await link.redis("HSET", "notif:idem:k", "seed", "other")
            #expect(try await settle(link, first, done: true))
            #expect(try await link.redis("HGET", "notif:idem:k", "state").string == "running")
            try await link.redis("DEL", "notif:idem:k")
            #expect(try await settle(link, first, done: true))
            #expect(try await link.redis("EXISTS", "notif:idem:k") == .integer(0))
        }
    }

    @Test func aKeyOfTheWrongTypeIsRefused() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", "notif:idem:k", "x")
            let error = await #expect(throws: StoreError.self) { try await reserve(link) }
            #expect(error?.code == .refused)
        }
    }

    // MARK: - Adding

    @Test func withinItsFirstLeaseItIsAddedWithoutALook() async throws {
        try await StoreLink.with { link in
            let first = try reservation(try await reserve(link))
            let commands = try await link.commands {
                let appended = try await link.append([alice], mode: .keyed(first))
                #expect(appended.stored == 1)
            }
            #expect(commands == ["set": 1, "eval": 1, "time": 1, "xadd": 1, "xrevrange": 1])
            #expect(try await link.notifications(alice) == ["n0"])
        }
    }

    @Test func aResumedOneFindsItsEntry() async throws {
        try await StoreLink.with { link in
            let first = try await link.append([alice], mode: .keyed(.test(leaseEnd: .max / 4)))
            let resumed = try await link.append([alice], mode: .keyed(.test(leaseEnd: .max / 4, isFirst: false)))
            #expect(resumed.stored == 1)
            #expect(resumed.entries == first.entries)
            #expect(try await link.notifications(alice) == ["n0"])
        }
    }

    @Test func aResumedOneAddsWhatIsMissing() async throws {
        try await StoreLink.with { link in
            let bob = User.test(2, "bob")
            let older = try await link.add(alice, "older")
            let reservedAt = UInt64(try await link.now())
            _ = try await link.append([bob], ids: ["n1"])
            let resumed = try await link.append(
                [alice, bob],
                mode: .keyed(.test(reservedAt: reservedAt, leaseEnd: 0, isFirst: false))
            )
            #expect(resumed.stored == 2)
            #expect(resumed.entries[0].predecessor == older)
            #expect(try await link.notifications(alice) == ["older", "n0"])
            #expect(try await link.notifications(bob) == ["n1"])
        }
    }

    /// Its pod slept over the lease, and meanwhile another one resumed.
    @Test func aLateFirstOneDoesNotDouble() async throws {
        try await StoreLink.with { link in
            let reservedAt = UInt64(try await link.now())
            let lease = reservedAt - 1
            _ = try await link.append(
                [alice],
                mode: .keyed(.test(reservedAt: reservedAt, leaseEnd: lease, isFirst: false))
            )
            let late = try await link.append([alice], mode: .keyed(.test(reservedAt: reservedAt, leaseEnd: lease)))
            #expect(late.stored == 1)
            #expect(try await link.notifications(alice) == ["n0"])
        }
    }

    @Test func whatWasTrimmedSinceCountsAsStored() async throws {
        try await StoreLink.with { link in
            _ = try await link.append([alice], mode: .keyed(.test(leaseEnd: .max / 4)))
            try await link.add(alice, "newer")
            try await link.redis("XTRIM", "stream:user:1-alice", "MAXLEN", "1")
            let resumed = try await link.append([alice], mode: .keyed(.test(leaseEnd: 0, isFirst: false)))
            #expect(resumed.stored == 1)
            #expect(resumed.entries == [])
            #expect(try await link.notifications(alice) == ["newer"])
        }
    }

    @Test func whatWasReadAndClearedSinceCountsAsStored() async throws {
        try await StoreLink.with { link in
            let first = try await link.append([alice], mode: .keyed(.test(leaseEnd: .max / 4)))
            try await link.redis("XDEL", "stream:user:1-alice", first.entries[0].id.text)
            let resumed = try await link.append([alice], mode: .keyed(.test(leaseEnd: 0, isFirst: false)))
            #expect(resumed.stored == 1)
            #expect(resumed.entries == [])
            #expect(try await link.notifications(alice) == [])
        }
    }

    @Test func aStreamThatWasEmptiedBeforeTheReservationIsAddedTo() async throws {
        try await StoreLink.with { link in
            let older = try await link.add(alice, "older")
            try await link.redis("XDEL", "stream:user:1-alice", older.text)
            let reservedAt = UInt64(try await link.now()) + 1_000
            let resumed = try await link.append(
                [alice],
                mode: .keyed(.test(reservedAt: reservedAt, leaseEnd: 0, isFirst: false))
            )
            #expect(resumed.stored == 1)
            #expect(try await link.notifications(alice) == ["n0"])
        }
    }

    @Test func aStreamThatLostNothingIsAddedTo() async throws {
        try await StoreLink.with { link in
            try await link.add(alice, "newer")
            let resumed = try await link.append([alice], mode: .keyed(.test(leaseEnd: 0, isFirst: false)))
            #expect(resumed.stored == 1)
            #expect(try await link.notifications(alice) == ["newer", "n0"])
        }
    }

    @Test func whatWasTrimmedBeforeTheReservationIsNoReason() async throws {
        try await StoreLink.with { link in
            for name in ["1", "2"] { try await link.add(alice, name) }
            try await link.redis("XTRIM", "stream:user:1-alice", "MAXLEN", "1")
            let reservedAt = UInt64(try await link.now()) + 1_000
            let resumed = try await link.append(
                [alice],
                mode: .keyed(.test(reservedAt: reservedAt, leaseEnd: 0, isFirst: false))
            )
            #expect(resumed.stored == 1)
            #expect(try await link.notifications(alice) == ["2", "n0"])
        }
    }

    @Test func aKeyOfTheWrongTypeIsNotStored() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", "stream:user:1-alice", "x")
            let appended = try await link.append([alice, .test(2)], mode: .keyed(.test(leaseEnd: 0)))
            #expect(appended.stored == 1)
            #expect(appended.entries.map(\.index) == [1])
        }
    }

    @Test func idsFollowFromTheSeed() {
        let ids = (0..<3).map { NotificationID(seed: "s", index: $0) }
        #expect(ids == (0..<3).map { NotificationID(seed: "s", index: $0) })
        #expect(Set(ids + [NotificationID(seed: "t", index: 0)]).count == 4)
        #expect(
            ids.allSatisfy {
                $0.text.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
            }
        )
    }
}
