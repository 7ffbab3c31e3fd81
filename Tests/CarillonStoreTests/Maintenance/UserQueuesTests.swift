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

    @Test func podsShareExpiredUsersWithoutDoublingThem() async throws {
        try await StoreLink.with { link in
            let all = (0..<500).map { "\($0)-u" }
            for user in all { try await link.redis("SADD", "notif:expired:\(try await slot(link) - 1)", user) }
            let (a, b) = (queues(link), queues(link, pod: "b"))
            var popped: [String] = []
            var rounds = 0
            while true {
                async let first = a.popExpired()
                async let second = b.popExpired()
                let users = try await names(first + second)
                popped += users
                rounds += 1
                if users.isEmpty { break }
            }
            #expect(popped.sorted() == all.sorted())
            #expect(rounds > 2)
        }
    }

    @Test func theOldestSlotComesFirstAndTheFutureWaits() async throws {
        try await StoreLink.with { link in
            let now = try await slot(link)
            for (offset, user) in [(-362, "1-tooOld"), (-358, "2-old"), (-1, "3-lately"), (2, "4-future")] {
                try await link.redis("SADD", "notif:expired:\(now + offset)", user)
            }
            #expect(names(try await queues(link).popExpired()) == ["2-old"])
            #expect(names(try await queues(link).popExpired()) == ["3-lately"])
            #expect(try await queues(link).popExpired() == [])
            #expect(try await link.redis("SCARD", "notif:expired:\(now + 2)") == .integer(1))
        }
    }

    @Test func whatIsNoUserIsPassedOver() async throws {
        try await StoreLink.with { link in
            let now = try await slot(link)
            try await link.redis("SADD", "notif:expired:\(now - 2)", "nobody")
            try await link.redis("SADD", "notif:expired:\(now - 1)", "1-a")
            #expect(names(try await queues(link).popExpired()) == ["1-a"])
        }
    }

    @Test func trimmingGoesByDays() async throws {
        try await StoreLink.with { link in
            let today = try await link.now() / 86_400_000
            for (offset, user) in [(-17, "1-tooOld"), (-16, "2-old"), (0, "3-today"), (1, "4-tomorrow")] {
                try await link.redis("SADD", "notif:trimming:\(today + offset)", user)
            }
            #expect(names(try await queues(link).popTrimming()) == ["2-old"])
            #expect(names(try await queues(link).popTrimming()) == ["3-today"])
            #expect(try await queues(link).popTrimming() == [])
        }
    }

    @Test func aTrimIsDueTheDayAfter() async throws {
        try await StoreLink.with { link in
            let user = User.test(1).key
            let now = UInt64(try await link.now())
            try await queues(link).scheduleTrim(of: user, at: now)
            #expect(try await queues(link).popTrimming() == [])
            try await queues(link).scheduleTrim(of: user, at: now - 86_400_000)
            #expect(try await link.redis("TTL", "notif:trimming:\(now / 86_400_000)").integer ?? 0 > 33 * 86_400)
            #expect(try await queues(link).popTrimming() == [user])
            #expect(try await queues(link).popTrimming() == [])
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
            #expect(try await queues(link).popTrimming() == [user])
        }
    }

    @Test func notingNeverGoesBack() async throws {
        try await StoreLink.with { link in
            let user = User.test(1).key
            for milliseconds in [5, 9, 7] as [UInt64] {
                try await queues(link).note(user, newest: StreamID(milliseconds: milliseconds, sequence: 0))
            }
            #expect(try await link.redis("ZSCORE", "notif:users:recent", "1-u").string == "9")
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
