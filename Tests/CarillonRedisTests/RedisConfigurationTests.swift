import CarillonTLS
import NIOCore
import Testing

@testable import CarillonRedis

@Suite struct RedisConfigurationTests {
    @Test func descriptionsRepeatNoPassword() {
        var tcp = RedisConfiguration(endpoint: .tcp(host: "::1", port: 7))
        tcp.tls = TLSClientConfiguration()
        tcp.username = "u"
        tcp.password = "secret"
        tcp.database = 2
        #expect(tcp.description == "rediss://[::1]:7/2")
        var unix = RedisConfiguration(endpoint: .unix(path: "/r.sock"))
        unix.username = "u"
        unix.password = "secret"
        unix.database = 1
        #expect(unix.description == "unix:///r.sock?db=1")
        #expect(RedisConfiguration().description == "redis://localhost:6379")
    }

    /// Gives the same number each time: the largest there is, or one that scales down to nothing.
    private struct Fixed: RandomNumberGenerator {
        let value: UInt64
        func next() -> UInt64 { value }
    }

    @Test func pausesDoubleUpToTheirBound() {
        let configuration = RedisConfiguration()
        var most = Fixed(value: .max)
        let pauses = [0, 1, 2, 3, 4, 5, 6, 7, 1_000, .max].map { configuration.backoff(attempt: $0, using: &most) }
        #expect(
            pauses
                == [50, 50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000].map { .milliseconds($0) }
        )
        var least = Fixed(value: 1 << 33)
        #expect(configuration.backoff(attempt: 5, using: &least) == .zero)
    }

    @Test func onlyWhatMayHaveBeenExecutedIsUnknown() {
        let unknown: [RedisError.Code] = [.connectionLost, .timeout, .protocolViolation]
        let known: [RedisError.Code] = [.unavailable, .overloaded, .server("ERR x"), .invalidConfiguration("x")]
        for code in unknown { #expect(RedisError(code).outcomeUnknown) }
        for code in known { #expect(!RedisError(code).outcomeUnknown) }
        #expect(RedisError(.timeout, detail: "a") == RedisError(.timeout, detail: "b"))
        #expect(RedisError(.server("a")) != RedisError(.server("b")))
        #expect(RedisError(.server("NOGROUP no group")).serverCode == "NOGROUP")
        #expect(RedisError(.timeout).serverCode == nil)
    }
}
