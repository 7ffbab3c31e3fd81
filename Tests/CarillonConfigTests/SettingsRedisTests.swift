import Testing

@testable import CarillonConfig

@Suite("Where Redis is")
struct SettingsRedisTests {
    @Test(arguments: [
        ("redis:7000", Settings.Redis.Address.tcp(host: "redis", port: 7_000)),
        ("redis", .tcp(host: "redis", port: 6_379)),
        ("127.0.0.1:1", .tcp(host: "127.0.0.1", port: 1)),
        ("h:65535", .tcp(host: "h", port: 65_535)),
        ("[::1]:7000", .tcp(host: "::1", port: 7_000)),
        ("[fe80::1%eth0]", .tcp(host: "fe80::1%eth0", port: 6_379)),
        ("unix:/run/redis.sock", .unix(path: "/run/redis.sock")),
    ])
    func anAddressIsRead(text: String, address: Settings.Redis.Address) throws {
        #expect(try load([], ["REDIS_ADDR": text]).redis.address == address)
        #expect(AddressText.redis(address.description) == address)
    }

    @Test(arguments: [
        ":6379", "h:", "h:0", "h:65536", "h:-1", "h:+1", "h:x", "::1", "[::1", "[]:1", "[h]:1", "[::1]x", "a b:1",
        "unix:", "unix:relative", "unix:/", "redis://h", "h/0", "http:1/2",
    ])
    func aWrongAddressIsRefused(text: String) {
        #expect(refusal([], ["REDIS_ADDR": text])?.hasPrefix("carillon-server: REDIS_ADDR: \"\(text)\" is not") == true)
    }

    @Test func aSocketPathFitsItsStructure() {
        #expect(AddressText.redis("unix:/" + String(repeating: "x", count: 106)) != nil)
        #expect(AddressText.redis("unix:/" + String(repeating: "x", count: 107)) == nil)
    }

    @Test(arguments: [
        (":8080", Settings.ListenAddress(host: nil, port: 8_080)),
        (":0", .init(host: nil, port: 0)),
        (":65535", .init(host: nil, port: 65_535)),
        ("0.0.0.0:80", .init(host: "0.0.0.0", port: 80)),
        ("[::]:80", .init(host: "::", port: 80)),
        ("localhost:80", .init(host: "localhost", port: 80)),
    ])
    func aListeningAddressIsRead(text: String, address: Settings.ListenAddress) throws {
        #expect(try load([], ["SERVER_ADDR": text]).listen == address)
    }

    @Test(arguments: ["8080", "localhost", "[::1]", ":", ":65536", ":-1", ":x", "::1:80", "a b:80", "unix:/x"])
    func aWrongListeningAddressIsRefused(text: String) {
        #expect(refusal([], ["SERVER_ADDR": text])?.hasPrefix("carillon-server: SERVER_ADDR: ") == true)
    }

    private func redis(_ url: String, _ more: [String: String] = [:]) throws -> Settings.Redis {
        try load([], more.merging(["REDIS_URL": url]) { $1 }).redis
    }

    @Test func aURLIsRead() throws {
        let host = Settings.Redis.Address.tcp(host: "h", port: 6_379)
        #expect(try redis("redis://h") == Settings.Redis(address: host))
        #expect(try redis("redis://h/") == Settings.Redis(address: host))
        #expect(try redis("redis://").address == .tcp(host: "localhost", port: 6_379))
        #expect(
            try redis("REDISS://h:1/15")
                == Settings.Redis(address: .tcp(host: "h", port: 1), database: 15, usesTLS: true)
        )
        #expect(try redis("redis://h:65535/").address == .tcp(host: "h", port: 65_535))
        #expect(try redis("redis://[fe80::1]").address == .tcp(host: "fe80::1", port: 6_379))
        #expect(try redis("redis://[::1]:7?db=2") == Settings.Redis(address: .tcp(host: "::1", port: 7), database: 2))
        #expect(try redis("redis://:p%40s%2Fs@h") == Settings.Redis(address: host, password: "p@s/s"))
        #expect(try redis("redis://u:p:q@h") == Settings.Redis(address: host, username: "u", password: "p:q"))
        #expect(try redis("redis://u:a:b@c@h") == Settings.Redis(address: host, username: "u", password: "a:b@c"))
        #expect(
            try redis("rediss://u%40x:%2F%3a%25%C3%BC@h")
                == Settings.Redis(address: host, username: "u@x", password: "/:%ü", usesTLS: true)
        )
        #expect(
            try redis("unix://u:p@/run/a%20b.sock?db=4")
                == Settings.Redis(address: .unix(path: "/run/a b.sock"), username: "u", password: "p", database: 4)
        )
        #expect(try redis("unix:///run/r.sock") == Settings.Redis(address: .unix(path: "/run/r.sock")))
    }

    @Test(arguments: [
        "h", "redis:h", "http://h", "redis://h/16", "redis://h/x", "redis://h/1/2", "redis://h:0", "redis://h?x=1",
        "redis://h/1?db=1", "redis://h#f", "redis://:%4@h", "redis://:%ff@h", "redis://a b", "unix://h/path", "unix://",
        "unix:///p?db=16", "redis://:%+1@h", "localhost:6379", "redis://:6379", "redis://h:65536", "redis://h:x",
        "redis://h:", "redis://h:-1", "redis://h:+1", "redis://h:99999999999999999999", "redis://h/-1", "redis://h?db=",
        "redis://h?db", "redis://u:%zz@h", "redis://::1:6379", "redis://[::1", "redis://[::1]x", "unix:///a%00b",
        "redis://u:se/cret@h", "redis://u:se?cret@h", "redis://u:se#cret@h", "redis://u:secret%@h",
    ])
    func aWrongURLIsRefusedWithoutBeingRepeated(url: String) {
        #expect(
            refusal([], ["REDIS_URL": url])
                == "carillon-server: REDIS_URL: the value is not a URL such as redis://user:password@host:6379/0, "
                + "rediss://host or unix:///run/redis.sock"
        )
    }

    @Test func theSocketPathOfAURLFitsItsStructure() throws {
        let path = "/" + String(repeating: "x", count: 106)
        #expect(try redis("unix://\(path)").address == .unix(path: path))
        #expect(refusal([], ["REDIS_URL": "unix://\(path)x"])?.hasPrefix("carillon-server: REDIS_URL: ") == true)
    }

    @Test func theAddressWinsOverTheURL() throws {
        let redis = try redis("rediss://u:p@h/3", ["REDIS_ADDR": "other:1"])
        #expect(redis == Settings.Redis(address: .tcp(host: "other", port: 1)))
    }

    @Test func singleSettingsWinOverPartsOfTheURL() throws {
        let redis = try redis("redis://u:p@h/3", ["REDIS_USERNAME": "v", "REDIS_PASSWORD": "q", "REDIS_DB": "0"])
        #expect(redis == Settings.Redis(address: .tcp(host: "h", port: 6_379), username: "v", password: "q"))
    }

    @Test(arguments: [
        (["REDIS_ADDR": "unix:/s", "REDIS_TLS": "true"], "REDIS_TLS: a unix socket does not speak TLS"),
        (["REDIS_TLS_CA": "/etc/passwd"], "REDIS_TLS_CA: there is no TLS to check; set REDIS_TLS to true"),
        (["REDIS_USERNAME": "u"], "REDIS_USERNAME: a user needs a password; set REDIS_PASSWORD"),
        (["REDIS_URL": "redis://u@h"], "REDIS_USERNAME: a user needs a password; set REDIS_PASSWORD"),
        (["REDIS_URL": "redis://u:@h"], "REDIS_USERNAME: a user needs a password; set REDIS_PASSWORD"),
    ])
    func contradictionsAreRefused(environment: [String: String], message: String) {
        #expect(refusal([], environment) == "carillon-server: \(message)")
    }

    // MARK: - Sentinels

    @Test func sentinelsAreRead() throws {
        let redis = try load([], ["REDIS_SENTINELS": "s1:7000, s2,[::1]"]).redis
        #expect(
            redis.sentinels?.addresses == [
                .tcp(host: "s1", port: 7_000), .tcp(host: "s2", port: 26_379), .tcp(host: "::1", port: 26_379),
            ]
        )
        #expect(redis.sentinels?.primaryName == "mymaster")
        #expect(try load([], [:]).redis.sentinels == nil)
        let more = try load(
            [],
            [
                "REDIS_SENTINELS": "s", "REDIS_MASTER_NAME": "m", "REDIS_SENTINEL_USERNAME": "u",
                "REDIS_SENTINEL_PASSWORD": "p", "REDIS_URL": "rediss://a:b@anything/3",
            ]
        ).redis
        #expect(
            more.sentinels?.username == "u" && more.sentinels?.password == "p" && more.sentinels?.primaryName == "m"
        )
        #expect(more.username == "a" && more.password == "b" && more.database == 3 && more.usesTLS)
    }

    @Test(arguments: ["s,", ",s", "s,s", "s:0", "unix:/x", "s1;s2", "redis://s"])
    func wrongSentinelsAreRefused(text: String) {
        #expect(refusal([], ["REDIS_SENTINELS": text])?.hasPrefix("carillon-server: REDIS_SENTINELS: ") == true)
    }

    @Test(arguments: [
        ["REDIS_SENTINELS": "s", "REDIS_ADDR": "r"], ["REDIS_SENTINELS": "s", "REDIS_URL": "unix:///x"],
        ["REDIS_SENTINELS": "s", "REDIS_MASTER_NAME": "a b"], ["REDIS_SENTINELS": "s", "REDIS_SENTINEL_USERNAME": "u"],
    ])
    func whatDoesNotGoTogether(settings: [String: String]) {
        #expect(refusal([], settings) != nil)
    }

    @Test func aRedisOfItsOwnHasNoSentinels() {
        #expect(refusal(["--dev"], ["REDIS_SENTINELS": "s"])?.contains("exclude each other") == true)
    }

    // MARK: - A cluster

    @Test func nodesOfAClusterAreRead() throws {
        let redis = try load([], ["REDIS_CLUSTER": "r1:7000, r2,[::1]"]).redis
        #expect(
            redis.cluster == [
                .tcp(host: "r1", port: 7_000), .tcp(host: "r2", port: 6_379), .tcp(host: "::1", port: 6_379),
            ]
        )
        #expect(try load([], [:]).redis.cluster == nil)
        let more = try load([], ["REDIS_CLUSTER": "r", "REDIS_URL": "rediss://a:b@anything"]).redis
        #expect(more.username == "a" && more.password == "b" && more.usesTLS)
    }

    @Test(arguments: ["r,", ",r", "r,r", "r:0", "unix:/x", "r1;r2"])
    func wrongNodesAreRefused(text: String) {
        #expect(refusal([], ["REDIS_CLUSTER": text])?.hasPrefix("carillon-server: REDIS_CLUSTER: ") == true)
    }

    @Test(arguments: [
        ["REDIS_CLUSTER": "r", "REDIS_ADDR": "r"], ["REDIS_CLUSTER": "r", "REDIS_URL": "unix:///x"],
        ["REDIS_CLUSTER": "r", "REDIS_SENTINELS": "s"], ["REDIS_CLUSTER": "r", "REDIS_DB": "1"],
        ["REDIS_CLUSTER": "r", "REDIS_URL": "redis://x/1"],
    ])
    func whatDoesNotGoWithACluster(settings: [String: String]) {
        #expect(refusal([], settings)?.hasPrefix("carillon-server: REDIS_CLUSTER: ") == true)
    }

    @Test func aRedisOfItsOwnIsNoCluster() {
        #expect(refusal(["--dev"], ["REDIS_CLUSTER": "r"])?.contains("exclude each other") == true)
    }
}
