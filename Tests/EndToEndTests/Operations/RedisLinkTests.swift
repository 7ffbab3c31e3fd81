import CarillonTestSupport
import Testing

/// The ways to Redis: unix socket, password, user, database, TLS.
@Suite("Link to Redis", .standalone)
struct RedisLinkTests {
    private static let signIn = [
        "--requirepass", "for-others", "--user", "carillon", "on", ">secret", "~*", "&*", "+@all",
    ]

    /// Posts and hears the push.
    private func expectService(_ pod: Pod, _ user: TestUser) async throws {
        let device = try await pod.device(user)
        try await pod.notify(user, message: "through")
        let push = try await device.push()
        #expect(push["message"] == .string("through"))
        try await device.read(push)
        #expect(try await pod.get("/ready").status == 200)
    }

    /// Waits for some attempts, then checks that the pod says once why it is not ready: at the usual level, that is.
    private func expectRefusal(_ pod: Pod, reason: String) async throws {
        func lines() -> [Substring] { pod.server.output.split(separator: "\n").filter { $0.contains(reason) } }
        try await wait(until: "some attempts", within: .seconds(20)) { lines().count > 8 }
        #expect(try await pod.get("/ready").status == 503)
        #expect(try await pod.get("/live").status == 200)
        #expect(try await pod.post(notifyBody([TestUser()], "m")).status == 503)
        // Each of the pod's two connections says it once.
        #expect((1...2).contains(lines().count { !$0.contains(" DEBUG ") }), "\(pod.server.output)")
        #expect(!pod.server.output.contains("secret"))
    }

    @Test("a unix socket", arguments: ["REDIS_ADDR", "REDIS_URL"])
    func unixSocket(setting: String) async throws {
        let settings = { (redis: RedisProcess) in
            setting == "REDIS_ADDR"
                ? ["REDIS_ADDR": "unix:\(redis.unixSocket)"]
                : ["REDIS_ADDR": "", "REDIS_URL": "unix://\(redis.unixSocket)"]
        }
        try await Pod.with(settings: settings) { pod in
            try await expectService(pod, TestUser())
            let clients = try await pod.redis("CLIENT", "LIST").string ?? ""
            let own = clients.split(separator: "\n").filter { $0.contains("name=carillon-") }
            #expect(!own.isEmpty && own.allSatisfy { $0.contains("redis.sock:0") }, "\(clients)")
        }
    }

    @Test("a password for a user of the access control list, and a database", arguments: ["REDIS_ADDR", "REDIS_URL"])
    func signIn(setting: String) async throws {
        let settings = { (redis: RedisProcess) in
            setting == "REDIS_ADDR"
                ? ["REDIS_USERNAME": "carillon", "REDIS_PASSWORD": "secret", "REDIS_DB": "5"]
                : ["REDIS_ADDR": "", "REDIS_URL": "redis://carillon:secret@127.0.0.1:\(redis.port)/5"]
        }
        try await Pod.with(redis: Self.signIn, settings: settings) { pod in
            let user = TestUser()
            try await expectService(pod, user)
            let redis = try WireRedis(port: pod.redisProcess.port)
            try await redis(["AUTH", "for-others"])
            #expect(try await redis(["EXISTS", user.stream]) == .integer(0))
            try await redis(["SELECT", "5"])
            #expect(try await redis(["EXISTS", user.stream]) == .integer(1))
            #expect(!pod.server.output.contains("secret"))
        }
    }

    @Test("a wrong password leaves the pod not ready and is said once")
    func wrongPassword() async throws {
        let settings = ["REDIS_USERNAME": "carillon", "REDIS_PASSWORD": "secretive", "LOG_LEVEL": "debug"]
        try await Pod.with(settings, redis: Self.signIn) { pod in
            let redis = try WireRedis(port: pod.redisProcess.port)
            try await redis(["AUTH", "for-others"])
            try await expectRefusal(pod, reason: "WRONGPASS")
            try await redis(["ACL", "SETUSER", "carillon", ">secretive"])
            try await wait(until: "readiness", within: .seconds(10)) { try await pod.get("/ready").status == 200 }
        }
    }

    @Test("TLS with a certificate of the given authority", arguments: ["REDIS_ADDR", "REDIS_URL"])
    func tls(setting: String) async throws {
        let redis = try await RedisTLSProcess.start(name: "DNS:localhost,IP:127.0.0.1")
        let settings =
            setting == "REDIS_ADDR"
            ? ["REDIS_ADDR": "localhost:\(redis.port)", "REDIS_TLS": "true", "REDIS_TLS_CA": redis.authority]
            : ["REDIS_ADDR": "", "REDIS_URL": "rediss://127.0.0.1:\(redis.port)", "REDIS_TLS_CA": redis.authority]
        try await Pod.with(settings) { pod in
            let user = TestUser()
            try await expectService(pod, user)
            #expect(try await WireRedis(port: redis.redis.port)(["EXISTS", user.stream]) == .integer(1))
        }
        await redis.stop()
    }

    @Test("TLS with a certificate of another authority leaves the pod not ready and is said once")
    func wrongAuthority() async throws {
        let redis = try await RedisTLSProcess.start(name: "DNS:localhost")
        let other = try await RedisTLSProcess.start(name: "DNS:localhost")
        let settings = [
            "REDIS_ADDR": "localhost:\(redis.port)", "REDIS_TLS": "true", "REDIS_TLS_CA": other.authority,
            "LOG_LEVEL": "debug",
        ]
        try await Pod.with(settings) { pod in
            try await expectRefusal(pod, reason: "certificate")
        }
        await redis.stop()
        await other.stop()
    }
}
