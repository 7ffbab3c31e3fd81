import CarillonDomain
import CarillonRedis
import NIOCore
import Testing

@testable import CarillonStore

@Suite struct ReadCheckTests {
    private let alice = User.test(1, "alice")

    private func check(
        _ link: StoreLink,
        _ id: StreamID,
        _ notification: String,
        of user: User? = nil
    ) async throws -> ReadCheck {
        let entry = EntryReference(streamID: id, notificationID: NotificationID(notification))
        let user = user ?? alice
        let result: Result<ReadCheck, StoreError> = try await link.call { parts, completion in
            parts.store.check(entry, of: user, completion: completion)
        }
        return try result.get()
    }

    private func payload(_ user: User) -> String {
        var target = ByteBuffer()
        user.writeJSON(into: &target)
        return "{\"message\":\"m\",\"target\":\(String(buffer: target))}"
    }

    @Test func thePairIsThere() async throws {
        try await StoreLink.with { link in
            let id = try await link.add(alice, "n")
            let commands = try await link.commands {
                let found = try await check(link, id, "n")
                #expect(found == .exists)
            }
            #expect(commands == ["xrange": 1])
            #expect(try await check(link, id.successor, "n") == .notFound)
            #expect(try await check(link, id, "other") == .notFound)
            #expect(try await check(link, id, "n", of: .test(2)) == .notFound)
            try await link.redis("DEL", "notification:n")
            #expect(try await check(link, id, "n") == .exists)
        }
    }

    @Test func anEntryThatWasCleanedIsGone() async throws {
        try await StoreLink.with { link in
            let id = try await link.add(alice, "n", payload: payload(alice))
            let other = try await link.add(alice, "other")
            #expect(try await check(link, id.successor, "n") == .notFound)
            try await link.redis("XDEL", "stream:user:1-alice", id.text)
            #expect(try await check(link, id, "n") == .gone)
            #expect(try await check(link, id, "n", of: .test(2)) == .notFound)
            // There is an entry of that id, and it names another notification.
            #expect(try await check(link, other, "n") == .notFound)
            try await link.redis("DEL", "notification:n")
            #expect(try await check(link, id, "n") == .notFound)
        }
    }

    @Test func anotherUsersPayloadIsNoTrace() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", "notification:n", payload(.test(2, "bob")))
            #expect(try await check(link, StreamID("1-0")!, "n") == .notFound)
            try await link.redis("SET", "notification:n", "{}")
            #expect(try await check(link, StreamID("1-0")!, "n") == .notFound)
        }
    }

    @Test func wrongTypes() async throws {
        try await StoreLink.with { link in
            try await link.redis("HSET", "notification:n", "a", "b")
            #expect(try await check(link, StreamID("1-0")!, "n") == .notFound)
            try await link.redis("SET", "stream:user:1-alice", "x")
            await #expect(throws: StoreError.self) { try await check(link, StreamID("1-0")!, "n") }
        }
    }
}
