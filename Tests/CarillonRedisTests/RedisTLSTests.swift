import CarillonRedis
import CarillonTLS
import CarillonTestSupport
import Testing

/// Against a real redis-server that speaks TLS, with certificates made on the spot.
@Suite struct RedisTLSTests {
    @Test func aVerifiedServerIsUsed() async throws {
        let server = try await RedisTLSProcess.start(name: "DNS:localhost,IP:127.0.0.1")
        let link = try await TestLink.open(server.configuration(host: "localhost"))
        #expect(try await link.client.call("PING") == .status("PONG"))
        let payload = String(repeating: "x", count: 1_000_000)
        #expect(try await link.client.call("ECHO", .text(payload)).string == payload)
        try await link.run { parts in
            for tag in 0..<10_000 {
                parts.connection.send("ECHO", arguments: 1, to: parts.recorder, tag: tag) { $0.integer(tag) }
            }
        }
        let events = try await link.waitForEvents(10_000)
        #expect(events == (0..<10_000).map { .reply(.bytes(Array("\($0)".utf8)), tag: $0) })
        try await link.close()
        await server.stop()
    }

    @Test func anAddressInTheCertificateWillDo() async throws {
        let server = try await RedisTLSProcess.start(name: "IP:127.0.0.1")
        let link = try await TestLink.open(server.configuration(host: "127.0.0.1"))
        #expect(try await link.client.call("PING") == .status("PONG"))
        try await link.close()
        await server.stop()
    }

    @Test func anotherNameIsRefused() async throws {
        let server = try await RedisTLSProcess.start(name: "DNS:redis.example")
        try await expectRefusal(server.configuration(host: "localhost"))
        await server.stop()
    }

    @Test func anUnknownAuthorityIsRefused() async throws {
        let server = try await RedisTLSProcess.start(name: "DNS:localhost")
        let other = try await RedisTLSProcess.start(name: "DNS:localhost")
        try await expectRefusal(server.configuration(host: "localhost", authority: other))
        await server.stop()
        await other.stop()
    }

    @Test func aServerWithoutTLSIsRefused() async throws {
        let server = try await RedisTLSProcess.start(name: "DNS:localhost")
        var configuration = server.configuration(host: "localhost")
        configuration.endpoint = .tcp(host: "localhost", port: server.redis.port)
        try await expectRefusal(configuration)
        await server.stop()
    }

    @Test func serviceResumesAfterARestart() async throws {
        let server = try await RedisTLSProcess.start(name: "DNS:localhost")
        let link = try await TestLink.open(server.configuration(host: "localhost"))
        server.redis.kill()
        try await wait(until: "the loss is noticed", within: .seconds(30)) {
            try await !link.run { $0.connection.isReady }
        }
        try await server.redis.restart()
        try await link.waitUntilReady(connectionCount: 2)
        #expect(try await link.client.call("PING") == .status("PONG"))
        try await link.close()
        await server.stop()
    }

    private func expectRefusal(_ configuration: RedisConfiguration) async throws {
        let link = try await TestLink.open(configuration, waiting: false)
        try await wait(until: "the refusal", within: .seconds(30)) {
            try await link.run { $0.connection.lastFailure != nil }
        }
        await #expect(throws: RedisError(.unavailable)) { try await link.client.call("PING") }
        #expect(try await link.run { $0.connection.connectionCount } == 0)
        try await link.close()
    }
}

extension RedisTLSProcess {
    fileprivate func configuration(host: String, authority: RedisTLSProcess? = nil) -> RedisConfiguration {
        var configuration = RedisConfiguration.test(port: port)
        configuration.endpoint = .tcp(host: host, port: port)
        configuration.tls = TLSClientConfiguration(caFile: (authority ?? self).authority)
        return configuration
    }
}
