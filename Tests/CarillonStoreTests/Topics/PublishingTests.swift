import CarillonDomain
import CarillonRedis
import Testing

@testable import CarillonStore

/// Storing notifications for topics.
@Suite struct PublishingTests {
    @Test func payloadEntryAndTheirLives() async throws {
        try await StoreLink.with { link in
            let published = try #require(try await link.publish(.orders, "x", ttl: 60))
            #expect(published.predecessor == .zero && published.isNew)
            let payload = try await link.redis("GET", "notification:x").string ?? ""
            #expect(payload.contains(#""audience":{"channel":"orders"}"#) && !payload.contains("target"))
            #expect((1...60).contains(try await link.redis("TTL", "notification:x").integer ?? 0))
            #expect(try await link.redis("XLEN", "notif:topic:orders").integer == 1)
            let life = try await link.redis("TTL", "notif:topic:orders").integer ?? 0
            #expect((16 * 86_400 - 60...16 * 86_400).contains(life))
            _ = try await link.publish(.everybody, "y")
            #expect(try await link.redis("XLEN", "notif:topic:").integer == 1)
            #expect(try await link.redis("GET", "notification:y").string?.contains(#""audience":{"all":true}"#) == true)
        }
    }

    @Test func fourCommandsHoweverManyListen() async throws {
        try await StoreLink.with { link in
            for id in 0..<50 as Range<Int64> { _ = try await link.subscribe(.test(id), [.orders]) }
            let commands = try await link.commands { _ = try await link.publish(.orders, "x") }
            #expect(commands == ["set": 1, "xadd": 1, "xrevrange": 1, "expire": 1])
        }
    }

    @Test func predecessors() async throws {
        try await StoreLink.with { link in
            let first = try await link.publish(.orders, "a")
            let second = try await link.publish(.orders, "b")
            #expect(second?.predecessor == first?.id)
            #expect(try await link.publish(.news, "c")?.predecessor == .zero)
        }
    }

    @Test func aKeyedOneIsStoredOnce() async throws {
        try await StoreLink.with { link in
            let mode = AppendMode.keyed(.test(leaseEnd: 0))
            let first = try await link.publish(.orders, "x", mode: mode)
            #expect(first?.isNew == true)
            let again = try await link.publish(.orders, "x", mode: mode)
            #expect(again?.isNew == false && again?.id == first?.id && again?.predecessor == .zero)
            _ = try await link.publish(.orders, "y")
            // The newest one is another's now: what lies before this one is not known.
            #expect(try await link.publish(.orders, "x", mode: mode)?.predecessor == nil)
            #expect(try await link.redis("XLEN", "notif:topic:orders").integer == 2)
            try await link.redis("XTRIM", "notif:topic:orders", "MAXLEN", "1")
            #expect(try await link.publish(.orders, "x", mode: .keyed(.test(reservedAt: 1, leaseEnd: 0))) == nil)
            #expect(try await link.redis("XLEN", "notif:topic:orders").integer == 1)
        }
    }

    @Test func aTopicHoldsAsManyEntriesAsAStream() async throws {
        try await StoreLink.with {
            $0.streamMaxLength = 100
        } _: { link in
            for number in 0..<250 { _ = try await link.publish(.orders, "\(number)") }
            // Redis trims whole nodes of 100.
            #expect((100...200).contains(try await link.redis("XLEN", "notif:topic:orders").integer ?? 0))
        }
    }

    @Test func whatRedisRefusesLeavesNoEntry() async throws {
        try await StoreLink.with { link in
            try await link.redis("SET", "notif:topic:orders", "x")
            await #expect(throws: StoreError.self) { try await link.publish(.orders, "x") }
            try await link.redis("DEL", "notif:topic:orders")
            // The payload cannot be written, the entry can.
            await #expect(throws: StoreError.self) { try await link.publish(.orders, "x", ttl: 0) }
            #expect(try await link.redis("XLEN", "notif:topic:orders").integer == 0)
        }
    }
}
