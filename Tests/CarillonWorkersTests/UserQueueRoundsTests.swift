import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import Synchronization
import Testing

@testable import CarillonStore
@testable import CarillonWorkers

/// Rounds over users that are due, many at once, while Redis goes away, refuses, or the pod stops.
@Suite struct UserQueueRoundsTests {
    private final class Log: Sendable {
        private let state = Mutex((kept: [UserKey](), underWay: 0, most: 0))

        var kept: [UserKey] { state.withLock { $0.kept } }
        var underWay: Int { state.withLock { $0.underWay } }
        var most: Int { state.withLock { $0.most } }

        func began() {
            state.withLock {
                $0.underWay += 1
                $0.most = max($0.most, $0.underWay)
            }
        }

        func ended(_ user: UserKey) {
            state.withLock {
                $0.underWay -= 1
                $0.kept.append(user)
            }
        }
    }

    private func sorted(_ users: [UserKey]) -> [String] { users.map(\.text).sorted() }

    @Test(arguments: [0, 1, 127, 128, 129, 300])
    func everybodyIsKeptOnce(count: Int) async throws {
        try await WorkerLink.with { link in
            let users = count == 0 ? [] : try await link.makeDue(count)
            let log = Log()
            let removed = try await link.rounds().round { user, _ throws(StoreError) in
                log.began()
                log.ended(user)
            }
            #expect(removed == count)
            #expect(sorted(log.kept) == sorted(users))
            #expect(try await link.inOrder(users) == count)
            #expect(try await link.rounds().round() == 0)
        }
    }

    /// Each waits until so many are under way as there may be.
    @Test(arguments: [3, 4, 5, 9])
    func soManyAreKeptAtOnce(count: Int) async throws {
        try await WorkerLink.with { link in
            try await link.makeDue(count)
            let log = Log()
            _ = try await link.rounds(atOnce: 4).round { user, _ throws(StoreError) in
                log.began()
                try? await wait(until: "all come", within: .seconds(30)) { log.most == min(count, 4) }
                log.ended(user)
            }
            #expect(log.most == min(count, 4))
            #expect(log.kept.count == count)
        }
    }

    @Test func whoWasPoppedWhenRedisWentAwayComesFirstInTheNextRound() async throws {
        try await WorkerLink.with(["--appendonly", "yes", "--appendfsync", "always"]) { link in
            try await link.makeDue(3)
            let rounds = link.rounds(atOnce: 1)
            await #expect(throws: StoreError.self) {
                try await rounds.round { _, _ throws(StoreError) in
                    link.process.kill()
                    while (try? await link.client.call("PING")) != nil {}
                }
            }
            try await link.isBack()
            // The first of them was brought in order before Redis went.
            #expect(try await rounds.round() == 2)
            #expect(try await rounds.round() == 0)
        }
    }

    @Test func aRedisThatGoesAwayCostsNobodyOfManyHisTurn() async throws {
        try await WorkerLink.with(["--appendonly", "yes", "--appendfsync", "always"]) { link in
            let users = try await link.makeDue(200)
            let (rounds, log) = (link.rounds(), Log())
            await #expect(throws: StoreError.self) {
                try await rounds.round { user, _ throws(StoreError) in
                    log.began()
                    log.ended(user)
                    if log.kept.count >= 50 { link.process.kill() }
                }
            }
            try await link.isBack()
            _ = try await rounds.round()
            #expect(try await link.inOrder(users) == 200)
            #expect(try await link.due() == 0)
            #expect(try await rounds.round() == 0)
        }
    }

    @Test func aUserWhomRedisRefusesHoldsUpNobody() async throws {
        try await WorkerLink.with { link in
            let users = try await link.makeDue(100)
            let (rounds, log) = (link.rounds(), Log())
            let kept: UserQueueRounds.Kept = { user, _ throws(StoreError) in
                if user == users[50] { throw StoreError(refused: "ERR of a test") }
                log.began()
                log.ended(user)
            }
            await #expect(throws: StoreError.self) { try await rounds.round(kept: kept) }
            _ = try await rounds.round(kept: kept)
            #expect(sorted(log.kept) == sorted(users.filter { $0 != users[50] }))
        }
    }

    @Test func aRedisThatRefusesEverythingCostsOneUserARound() async throws {
        try await WorkerLink.with { link in
            try await link.makeDue(40)
            let (rounds, log) = (link.rounds(), Log())
            for _ in 0..<2 {
                await #expect(throws: StoreError.self) {
                    try await rounds.round { _, _ throws(StoreError) in throw StoreError(refused: "OOM of a test") }
                }
            }
            _ = try await rounds.round { user, _ throws(StoreError) in
                log.began()
                log.ended(user)
            }
            #expect(Set(log.kept).count == 38)
        }
    }

    /// Whom it has popped nobody else would come for.
    @Test func aPodThatStopsKeepsWhomItHasPoppedAndPopsNobodyMore() async throws {
        try await WorkerLink.with { link in
            try await link.makeDue(300)
            let (rounds, log) = (link.rounds(), Log())
            let round = Task {
                try await rounds.round { user, _ throws(StoreError) in
                    log.began()
                    while !Task.isCancelled { await Task.yield() }
                    log.ended(user)
                }
            }
            try await wait(until: "as many are under way as may be", within: .seconds(30)) { log.underWay == 32 }
            round.cancel()
            #expect(try await round.value == 128)
            #expect(log.kept.count == 128)
            #expect(try await link.due() == 172)
        }
    }
}

extension WorkerLink {
    /// Starts Redis again, and waits until it can be used.
    fileprivate func isBack() async throws {
        try await process.restart()
        try await wait(until: "Redis is back", within: .seconds(30)) { (try? await client.call("PING")) != nil }
    }
}
