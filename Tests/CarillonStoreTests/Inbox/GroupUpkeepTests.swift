import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import Testing

@testable import CarillonStore

@Suite struct GroupUpkeepTests {
    private let alice = User.test(1, "alice")

    struct Outcome: Sendable, Equatable {
        var isStored = true
        var newlyRead = 0
        var hasMore = false
        var otherPods: [String] = []
    }

    private func keep(
        _ link: StoreLink,
        handOut: HandOut = .everything,
        reads: [(StreamID, String)] = [],
        looksUpPods: Bool = false
    ) async throws -> Outcome {
        let references = reads.map { EntryReference(streamID: $0.0, notificationID: NotificationID($0.1)) }
        return try await link.call { parts, completion in
            let work = GroupWork(user: alice, handOut: handOut, reads: references, looksUpPods: looksUpPods)
            parts.store.keepGroup(work) { result in
                completion(
                    Outcome(
                        isStored: result.isStored,
                        newlyRead: result.newlyRead,
                        hasMore: result.hasMore,
                        otherPods: result.otherPods.sorted()
                    )
                )
            }
        }
    }

    private func state(_ link: StoreLink) async throws -> [String: String] {
        try await link.redis("HGETALL", "notification_state:1-alice").table
    }

    @Test func threeCommandsInTheUsualCase() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            let first = try await link.add(alice, "n1")
            let commands = try await link.commands {
                let outcome = try await keep(link, reads: [(first, "n1")])
                #expect(outcome == Outcome(newlyRead: 1))
            }
            #expect(commands == ["xreadgroup": 1, "hset": 1, "xack": 1])
            #expect(try await link.pending(alice) == [])
            #expect(try await state(link) == ["n1": "read"])
        }
    }

    @Test func severalNotificationsAreStillThreeCommands() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            var reads: [(StreamID, String)] = []
            for number in 1...5 { reads.append((try await link.add(alice, "n\(number)"), "n\(number)")) }
            let commands = try await link.commands {
                let outcome = try await keep(link, reads: reads)
                #expect(outcome == Outcome(newlyRead: 5))
            }
            #expect(commands == ["xreadgroup": 1, "hset": 1, "xack": 1])
        }
    }

    @Test func handingOutMakesEntriesPending() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            let first = try await link.add(alice, "n1")
            let second = try await link.add(alice, "n2")
            #expect(try await keep(link) == Outcome())
            #expect(try await link.pending(alice) == [first.text, second.text])
            let rows = try await link.redis("XPENDING", "stream:user:1-alice", "notifications", "-", "+", "9").array
            #expect(rows?.allSatisfy { $0.array?[1].string == "user:1" } == true)
            #expect(try await keep(link) == Outcome())
        }
    }

    /// A pod that does not hold the lock stores reads of entries that nobody has handed out yet.
    @Test func aReadBeforeTheHandOutLeavesNothingPending() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            let first = try await link.add(alice, "n1")
            let second = try await link.add(alice, "n2")
            let commands = try await link.commands {
                let outcome = try await keep(link, handOut: .nothing, reads: [(first, "n1")])
                #expect(outcome == Outcome(newlyRead: 1))
            }
            #expect(commands == ["hset": 1, "xack": 2, "xreadgroup": 1, "hmget": 1])
            #expect(try await link.pending(alice) == [second.text])
        }
    }

    @Test func newlyReadCountsEachOnce() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            let first = try await link.add(alice, "n1")
            let second = try await link.add(alice, "n2")
            #expect(try await keep(link, reads: [(first, "n1")]).newlyRead == 1)
            #expect(try await keep(link, reads: [(first, "n1"), (second, "n2")]).newlyRead == 1)
            #expect(try await keep(link, handOut: .nothing, reads: [(first, "n1"), (first, "n1")]).newlyRead == 0)
            #expect(try await link.pending(alice) == [])
        }
    }

    @Test(arguments: [true, false])
    func aMissingGroupIsMade(handsOut: Bool) async throws {
        try await StoreLink.with { link in
            let first = try await link.add(alice, "n1")
            let second = try await link.add(alice, "n2")
            #expect(
                try await keep(link, handOut: handsOut ? .everything : .nothing, reads: [(first, "n1")])
                    == Outcome(newlyRead: 1)
            )
            #expect(try await link.pending(alice) == [second.text])
            try await link.redis("XGROUP", "DESTROY", "stream:user:1-alice", "notifications")
            #expect(try await keep(link) == Outcome())
            #expect(try await link.pending(alice) == [second.text])
        }
    }

    @Test func aMissingStreamIsMade() async throws {
        try await StoreLink.with { link in
            let outcome = try await keep(link)
            #expect(outcome == Outcome())
            #expect(try await link.redis("XINFO", "GROUPS", "stream:user:1-alice").array?.count == 1)
        }
    }

    @Test func aGroupMadeAnewDoesNotLeaveReadEntriesPending() async throws {
        try await StoreLink.with { link in
            var unread: [String] = []
            for number in 1...9 {
                let id = try await link.add(alice, "n\(number)")
                if number % 3 == 0 {
                    unread.append(id.text)
                } else {
                    try await link.redis("HSET", "notification_state:1-alice", "n\(number)", "read")
                }
            }
            try await link.redis("XADD", "stream:user:1-alice", "*", "other", "x")
            #expect(try await keep(link) == Outcome())
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await link.pending(alice).prefix(3) == unread[...]
            }
        }
    }

    @Test(arguments: [(99, false), (100, true), (101, true)])
    func thereIsMoreThanOneHandOutTakes(count: Int, hasMore: Bool) async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            for number in 1...count { try await link.add(alice, "n\(number)", payload: nil) }
            #expect(try await keep(link).hasMore == hasMore)
            #expect(try await link.pending(alice).count == min(count, 100))
            #expect(try await keep(link).hasMore == false)
            #expect(try await link.pending(alice).count == count)
        }
    }

    @Test func otherPods() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            try await link.redis("HSET", "notif:conn:1-alice", "a", "1", "b", "1", "c", "1")
            let first = try await link.add(alice, "n1")
            #expect(try await keep(link, reads: [(first, "n1")], looksUpPods: true).otherPods == ["b", "c"])
            #expect(try await keep(link, reads: [(first, "n1")]).otherPods == [])
        }
    }

    @Test func aReadThatIsNotStoredIsSaid() async throws {
        try await StoreLink.with { link in
            let first = try await link.add(alice, "n1")
            try await link.redis("SET", "notification_state:1-alice", "x")
            let outcome = try await keep(link, reads: [(first, "n1")], looksUpPods: true)
            #expect(!outcome.isStored)
            await link.process.stop()
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await !link.run { $0.connection.isReady }
            }
            #expect(try await !keep(link, reads: [(first, "n1")]).isStored)
            // It has nothing to store.
            #expect(try await !keep(link).hasMore)
        }
    }

    @Test func anEntryWhoseReadIsRefusedStaysPending() async throws {
        try await StoreLink.with { link in
            let (first, second) = (try await link.add(alice, "n1"), try await link.add(alice, "n2"))
            _ = try await keep(link)
            try await link.redis("SET", "notification_state:1-alice", "x")
            #expect(try await !keep(link, reads: [(first, "n1"), (second, "n2")]).isStored)
            #expect(try await link.pending(alice) == ["\(first)", "\(second)"])
            try await link.redis("DEL", "notification_state:1-alice")
            #expect(try await keep(link, reads: [(first, "n1")]) == Outcome(newlyRead: 1))
            #expect(try await link.pending(alice) == ["\(second)"])
        }
    }

    @Test func aStreamOfTheWrongTypeStillStoresTheRead() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", "stream:user:1-alice", "x")
            #expect(try await keep(link, reads: [(.zero, "n1")]) == Outcome(newlyRead: 1))
        }
    }
}
