import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import Testing

@testable import CarillonStore

@Suite struct ClearingTests {
    private let alice = User.test(1, "alice")

    private func clear(_ link: StoreLink, _ id: StreamID, _ name: String) async throws -> Bool {
        let entry = EntryReference(streamID: id, notificationID: NotificationID(name))
        return try await link.call { parts, completion in
            parts.store.clear(entry, of: alice.key, completion: completion)
        }
    }

    @Test func whoeverRemovesAnEntryIsTheOnlyOne() async throws {
        try await StoreLink.with { link in
            try await link.createGroup(alice)
            let id = try await link.add(alice, "n", payload: nil)
            let other = try await link.add(alice, "other")
            try await link.handOut(alice)
            for name in ["n", "other"] { try await link.redis("HSET", "notification_state:1-alice", name, "read") }
            let second = try await StoreLink.open(link.process) { $0.podID = "b" }
            async let first = clear(link, id, "n")
            async let again = clear(second, id, "n")
            #expect(try await [first, again].count { $0 } == 1)
            #expect(try await link.notifications(alice) == ["other"])
            #expect(
                try await link.redis("HKEYS", "notification_state:1-alice").array?.compactMap(\.string) == ["other"]
            )
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await link.pending(alice) == [other.text]
            }
            try await second.close()
        }
    }

    @Test func nothingIsRemovedWhereThereIsNothing() async throws {
        try await StoreLink.with { link in
            let isRemoved = try await clear(link, .zero, "n")
            #expect(!isRemoved)
            try await link.redis("SET", "stream:user:1-alice", "x")
            #expect(try await !clear(link, .zero, "n"))
            await link.process.stop()
            try await wait(until: "Redis has done it", within: .seconds(30)) {
                try await !link.run { $0.connection.isReady }
            }
            #expect(try await !clear(link, .zero, "n"))
        }
    }

    @Test func otherPods() async throws {
        try await StoreLink.with { link in
            func pods() async throws -> [String] {
                try await link.call { parts, completion in
                    parts.store.otherPods(of: alice.key) { completion($0.sorted()) }
                }
            }
            #expect(try await pods() == [])
            try await link.redis("HSET", "notif:conn:1-alice", "c", "1", "a", "1", "b", "1")
            #expect(try await pods() == ["b", "c"])
            try await link.redis("DEL", "notif:conn:1-alice")
            try await link.redis("SET", "notif:conn:1-alice", "x")
            #expect(try await pods() == [])
        }
    }
}
