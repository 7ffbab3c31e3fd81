import CarillonRedis
import CarillonTestSupport
import Testing

@Suite struct RedisProcessTests {
    /// Whoever holds the port answers there; a test must not take that server for its own.
    @Test func anothersServerIsNotTakenForOnesOwn() async throws {
        let first = try await RedisProcess.start()
        await #expect(throws: RedisProcess.Failure.self) { try await RedisProcess.start(port: first.port) }
        let link = try await TestLink.open(.test(first))
        #expect(try await link.client.call("PING") == .status("PONG"))
        try await link.close()
        await first.stop()
    }
}
