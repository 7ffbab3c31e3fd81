import NIOCore
import Testing

@testable import CarillonRedis

@Suite struct RedisConfigurationTests {
    struct Good: Sendable, CustomTestStringConvertible {
        let url: String
        let endpoint: RedisConfiguration.Endpoint
        var user: String?
        var password: String?
        var database = 0
        var tls = false
        var testDescription: String { url }
    }

    @Test(arguments: [
        Good(url: "redis://localhost", endpoint: .tcp(host: "localhost", port: 6_379)),
        Good(url: "REDIS://h:1", endpoint: .tcp(host: "h", port: 1)),
        Good(url: "redis://h:65535/", endpoint: .tcp(host: "h", port: 65_535)),
        Good(url: "redis://h/3", endpoint: .tcp(host: "h", port: 6_379), database: 3),
        Good(url: "redis://h?db=4", endpoint: .tcp(host: "h", port: 6_379), database: 4),
        Good(url: "redis://:p@h", endpoint: .tcp(host: "h", port: 6_379), password: "p"),
        Good(url: "redis://u:p@h:7/1", endpoint: .tcp(host: "h", port: 7), user: "u", password: "p", database: 1),
        Good(
            url: "rediss://u%40x:%2F%3a%25%C3%BC@h",
            endpoint: .tcp(host: "h", port: 6_379),
            user: "u@x",
            password: "/:%ü",
            tls: true
        ),
        Good(url: "redis://u:a:b@c@h", endpoint: .tcp(host: "h", port: 6_379), user: "u", password: "a:b@c"),
        Good(url: "redis://[::1]:7000/2", endpoint: .tcp(host: "::1", port: 7_000), database: 2),
        Good(url: "redis://[fe80::1]", endpoint: .tcp(host: "fe80::1", port: 6_379)),
        Good(url: "unix:///run/redis.sock", endpoint: .unix(path: "/run/redis.sock")),
        Good(url: "unix:///run/a%20b?db=1", endpoint: .unix(path: "/run/a b"), database: 1),
        Good(url: "unix://u:p@/r.sock", endpoint: .unix(path: "/r.sock"), user: "u", password: "p"),
    ])
    func goodURLs(row: Good) throws {
        let configuration = try RedisConfiguration(url: row.url)
        #expect(configuration.endpoint == row.endpoint)
        #expect(configuration.username == row.user)
        #expect(configuration.password == row.password)
        #expect(configuration.database == row.database)
        #expect((configuration.tls != nil) == row.tls)
    }

    @Test(arguments: [
        ("", "redis://"), ("localhost:6379", "redis://"), ("http://h", "redis://"), ("redis:h", "redis://"),
        ("redis://", "no host"), ("redis://:6379", "no host"), ("redis://u:p@", "no host"),
        ("redis://h:0", "port"), ("redis://h:65536", "port"), ("redis://h:x", "port"), ("redis://h:", "port"),
        ("redis://h:-1", "port"), ("redis://h:+1", "port"), ("redis://h:99999999999999999999", "port"),
        ("redis://h/x", "database"), ("redis://h/-1", "database"), ("redis://h/1/2", "database"),
        ("redis://h?db=", "database"), ("redis://h?db", "db=<number>"), ("redis://h?ssl=1", "db=<number>"),
        ("redis://user@h", "password"), ("redis://u:@h", "empty"), ("redis://u:%zz@h", "%25"),
        ("redis://u:%4@h", "%25"),
        ("redis://u:%ff@h", "UTF-8"), ("redis://::1:6379", "brackets"), ("redis://[::1", "]"), ("redis://[::1]x", "]"),
        ("redis://h#1", "fragment"), ("redis://a b", "space"),
        ("unix://run/redis.sock", "three slashes"), ("unix://", "starts with a slash"),
        ("unix:///\(String(repeating: "x", count: 107))", "at most 107"), ("unix:///a%00b", "at most 107"),
    ])
    func badURLs(url: String, hint: String) {
        #expect {
            _ = try RedisConfiguration(url: url)
        } throws: { error in
            guard case .invalidConfiguration(let message) = (error as? RedisError)?.code else { return false }
            return message.contains(hint)
        }
    }

    @Test func theLongestSocketPath() throws {
        let path = "/" + String(repeating: "x", count: 106)
        #expect(try RedisConfiguration(url: "unix://\(path)").endpoint == .unix(path: path))
    }

    @Test(arguments: ["redis://u:se/cret@h", "redis://u:se?cret@h", "redis://u:se#cret@h", "redis://u:secret%@h"])
    func errorsRepeatNoPassword(url: String) throws {
        let error = try #require(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(!error.description.contains("cret"))
    }

    @Test func descriptionsRepeatNoPassword() throws {
        #expect(try RedisConfiguration(url: "rediss://u:secret@[::1]:7/2").description == "rediss://[::1]:7/2")
        #expect(try RedisConfiguration(url: "unix://u:secret@/r.sock?db=1").description == "unix:///r.sock?db=1")
        #expect(RedisConfiguration().description == "redis://localhost:6379")
    }

    @Test(arguments: [
        ("localhost:6379", RedisConfiguration.Endpoint.tcp(host: "localhost", port: 6_379)),
        ("redis", .tcp(host: "redis", port: 6_379)), ("[::1]:7", .tcp(host: "::1", port: 7)),
        ("unix:/r.sock", .unix(path: "/r.sock")), ("unix:///r.sock", .unix(path: "/r.sock")),
    ])
    func addresses(text: String, endpoint: RedisConfiguration.Endpoint) throws {
        #expect(try RedisConfiguration(address: text).endpoint == endpoint)
    }

    @Test(arguments: ["", ":6379", "h:0", "h:x", "::1", "unix:", "unix:r.sock"])
    func badAddresses(text: String) {
        #expect(throws: RedisError.self) { try RedisConfiguration(address: text) }
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
