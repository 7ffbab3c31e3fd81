import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import Testing

@testable import CarillonStore

@Suite struct UserQueuesTests {
    private func queues(_ link: StoreLink, pod: String = "a") -> UserQueues {
        var settings = link.settings
        settings.podID = pod
        return UserQueues(redis: link.client, settings: settings)
    }

    private func names(_ users: [UserKey]) -> [String] { users.map(\.text).sorted() }

    private func slot(_ link: StoreLink) async throws -> Int { try await link.now() / 10_000 }

    private func add(_ users: [String], to key: String, _ link: StoreLink) async throws {
        for user in users { try await link.redis("SADD", link.spread(key, user), user) }
    }

    /// What is popped until there is nothing left, pop by pop.
    private func pops(_ due: DueUsers) async throws -> [[UserKey]] {
        var due = due
        var pops: [[UserKey]] = []
        while true {
            let users = try await due.pop()
            if users.isEmpty { return pops }
            pops.append(users)
        }
    }

    @Test func podsShareExpiredUsersWithoutDoublingThem() async throws {
        try await StoreLink.with { link in
            let all = (0..<500).map { "\($0)-u" }
            try await add(all, to: "notif:expired:\(try await slot(link) - 1)", link)
            async let first = pops(queues(link).expired())
            async let second = pops(queues(link, pod: "b").expired())
            let popped = try await first + second
            #expect(names(popped.flatMap(\.self)) == all.sorted())
            #expect(popped.count >= 4)
            #expect(try await link.keys("notif:expired:*") == [])
        }
    }

    @Test func theOldestSlotComesFirstAndTheFutureWaits() async throws {
        try await StoreLink.with { link in
            let now = try await slot(link)
            for (offset, user) in [(-362, "1-tooOld"), (-358, "2-old"), (-1, "3-lately"), (2, "4-future")] {
                try await add([user], to: "notif:expired:\(now + offset)", link)
            }
            #expect(try await pops(queues(link).expired()).map(names) == [["2-old"], ["3-lately"]])
            #expect(try await pops(queues(link).expired()) == [])
            let future = link.spread("notif:expired:\(now + 2)", "4-future")
            #expect(try await link.redis("SCARD", future) == .integer(1))
        }
    }

    /// Which keys there are is asked once, however many users they hold.
    @Test(arguments: [1, 127, 128, 129, 300])
    func aRoundLooksOnce(count: Int) async throws {
        try await StoreLink.with { link in
            let now = try await slot(link)
            let users = (0..<count).map { "\($0)-u" }
            var sizes: [String: Int] = [:]
            for slot in [now - 2, now - 1] {
                try await add(users, to: "notif:expired:\(slot)", link)
                for user in users { sizes[link.spread("\(slot)", user), default: 0] += 1 }
            }
            let commands = try await link.commands {
                let popped = try await pops(queues(link).expired())
                #expect(popped.joined().count == 2 * count)
            }
            let shards = link.client.isSharded ? 16 : 1
            // A set is empty once it gives less than it was asked for.
            let expected = sizes.values.reduce(0) { $0 + $1 / 128 + 1 }
            #expect(commands == ["time": 1, "exists": 361 * shards, "spop": expected])
            let idle = try await link.commands { _ = try await pops(queues(link).trimming()) }
            #expect(idle == ["time": 1, "exists": 17 * shards])
        }
    }

    @Test func whatIsNoUserIsPassedOver() async throws {
        try await StoreLink.with { link in
            let now = try await slot(link)
            try await link.redis("SADD", link.spread("notif:expired:\(now - 2)", "1-a"), "nobody")
            try await add(["1-a"], to: "notif:expired:\(now - 1)", link)
            #expect(try await pops(queues(link).expired()).map(names) == [["1-a"]])
        }
    }

    @Test func trimmingGoesByDays() async throws {
        try await StoreLink.with { link in
            let today = try await link.now() / 86_400_000
            for (offset, user) in [(-17, "1-tooOld"), (-16, "2-old"), (0, "3-today"), (1, "4-tomorrow")] {
                try await add([user], to: "notif:trimming:\(today + offset)", link)
            }
            #expect(try await pops(queues(link).trimming()).map(names) == [["2-old"], ["3-today"]])
            #expect(try await pops(queues(link).trimming()) == [])
        }
    }

    @Test func aTrimIsDueTheDayAfter() async throws {
        try await StoreLink.with { link in
            let user = User.test(1).key
            let now = UInt64(try await link.now())
            try await queues(link).scheduleTrim(of: user, at: now)
            #expect(try await pops(queues(link).trimming()) == [])
            try await queues(link).scheduleTrim(of: user, at: now - 86_400_000)
            let key = link.spread("notif:trimming:\(now / 86_400_000)", "1-u")
            #expect(try await link.redis("TTL", key).integer ?? 0 > 33 * 86_400)
            #expect(try await pops(queues(link).trimming()) == [[user]])
            #expect(try await pops(queues(link).trimming()) == [])
        }
    }

    @Test func aNewRetentionIsLookedAtAtOnce() async throws {
        try await StoreLink.with { link in
            let user = User.test(1).key
            let isStored: Bool = try await link.call { parts, completion in
                parts.store.setRetention(days: 3, of: user, completion: completion)
            }
            #expect(isStored)
            #expect(try await link.redis("GET", "notif:retention:1-u").string == "3")
            #expect(try await pops(queues(link).trimming()) == [[user]])
        }
    }

    @Test func notingNeverGoesBack() async throws {
        try await StoreLink.with { link in
            let user = User.test(1).key
            for milliseconds in [5, 9, 7] as [UInt64] {
                try await queues(link).note(user, newest: StreamID(milliseconds: milliseconds, sequence: 0))
            }
            #expect(try await link.redis("ZSCORE", link.spread("notif:users:recent", "1-u"), "1-u").string == "9")
        }
    }

    // MARK: - The sweep

    @Test func onePodSweeps() async throws {
        try await StoreLink.with { link in
            #expect(try await queues(link).maySweep(forSeconds: 10))
            #expect(try await !queues(link, pod: "b").maySweep(forSeconds: 10))
            try await link.redis("EXPIRE", "notif:sweeper", "2")
            #expect(try await queues(link).maySweep(forSeconds: 10))
            #expect(try await link.redis("TTL", "notif:sweeper").integer ?? 0 > 5)
            try await link.redis("DEL", "notif:sweeper")
            #expect(try await queues(link, pod: "b").maySweep(forSeconds: 10))
        }
    }

    @Test func theSweepSeesEveryStreamAndGoesOnWhereItStopped() async throws {
        try await StoreLink.with { link in
            for number in 0..<1_200 {
                try await link.add(.test(Int64(number)), "n", payload: nil)
                try await link.redis("SET", "notification:\(number)", "x")
            }
            try await link.redis("XADD", "stream:user:nobody", "*", "nid", "n")
            // A mark that joins the colon before it, so that both are one `Character`.
            let marked = User(id: .text("\u{301}"), login: "u")
            try await link.add(marked, "n", payload: nil)
            var seen: Set<String> = []
            var pages = 0
            #expect(try await queues(link).sweepPlace() == .start)
            repeat {
                // Another pod goes on each time.
                let queues = queues(link, pod: pages.isMultiple(of: 2) ? "a" : "b")
                let (users, next) = try await queues.sweep(from: try await queues.sweepPlace())
                seen.formUnion(users.map(\.text))
                pages += 1
                #expect(try await queues.sweepPlace() == next ?? .start)
            } while try await queues(link).sweepPlace() != .start
            #expect(seen == Set((0..<1_200).map { "\($0)-u" } + [marked.key.text]))
            #expect(pages > 2)
        }
    }
}
