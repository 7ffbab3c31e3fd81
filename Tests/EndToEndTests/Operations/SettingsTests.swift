import CarillonTestSupport
import Testing

/// Settings by environment and by flag.
@Suite("Settings")
struct SettingsTests {
    private func run(
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) async throws -> (status: Int32, output: String, errors: String) {
        let process = try ChildProcess(BuiltProgram.server, arguments, environment: environment)
        let status = try await process.exit(within: .seconds(15))
        return (status, process.standardOutput, process.standardError)
    }

    static let bad: [(String, String)] = [
        ("SERVER_ADDR", "nonsense"), ("SERVER_ADDR", ":99999"), ("SERVER_ADDR", ":x"), ("REDIS_ADDR", "host:port"),
        ("REDIS_ADDR", "unix:"), ("REDIS_URL", "http://localhost"), ("REDIS_URL", "redis://localhost/x"),
        ("REDIS_DB", "-1"),
        ("REDIS_DB", "x"), ("NOTIFICATION_TTL", "soon"), ("NOTIFICATION_TTL", "0s"), ("NOTIFICATION_TTL", "-5s"),
        ("STREAM_MAXLEN", "0"), ("STREAM_MAXLEN", "-1"), ("STREAM_MAXLEN", "1.5"), ("STREAM_MAXLEN", "many"),
        ("DRAIN_SECONDS", "11"), ("DRAIN_SECONDS", "-1"), ("DRAIN_SECONDS", "x"), ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("TTL_JANITOR_INTERVAL", "0s"), ("TTL_JANITOR_INTERVAL", "often"), ("UPKEEP_INTERVAL", "x"),
        ("USER_IDS", "both"),
        ("MAX_MESSAGE_BYTES", "0"), ("MAX_BODY_BYTES", "x"),
    ]

    @Test("a bad value ends the start with 64 and one line that names the setting", arguments: bad)
    func badValue(name: String, value: String) async throws {
        let (status, output, errors) = try await run([], [name: value])
        #expect(status == 64)
        let lines = errors.split(separator: "\n")
        #expect(lines.count == 1, "\(errors)")
        #expect(lines.first?.contains(name) == true)
        #expect(output.isEmpty)
    }

    @Test("flags have the names of the variables and win over them")
    func flags() async throws {
        #expect(try await run(["--drain-seconds", "11"]).status == 64)
        #expect(try await run(["--drain-seconds=11"]).status == 64)
        #expect(try await run(["--drain-seconds", "11"], ["DRAIN_SECONDS": "3"]).status == 64)
        #expect(try await run(["--no-such-flag"]).status == 64)
        #expect(try await run(["--stream-maxlen"]).status == 64)
        let port = try BuiltProgram.freePort()
        let redis = try await RedisProcess.start()
        let process = try ChildProcess(
            BuiltProgram.server,
            ["--server-addr", "127.0.0.1:\(port)", "--redis-addr", "127.0.0.1:\(redis.port)", "--pod-id", "by-flag"],
            environment: ["SERVER_ADDR": "127.0.0.1:1", "POD_ID": "by-variable"]
        )
        try await wait(until: "the server serves", within: .seconds(20)) {
            guard let http = try? HTTPConnection(port: port) else { return process.exitStatus != nil }
            return try await http.request("GET", "/health").json["pod_id"] == .string("by-flag")
        }
        #expect(process.exitStatus == nil, "\(process.standardError)")
        process.kill()
        await redis.stop()
    }

    @Test("a password is no flag")
    func secretFlag() async throws {
        #expect(try await run(["--redis-password", "x"]).status == 64)
    }

    @Test("--help lists every setting with its default")
    func help() async throws {
        let (status, output, _) = try await run(["--help"])
        #expect(status == 0)
        for name in [
            "SERVER_ADDR", "REDIS_ADDR", "REDIS_PASSWORD", "POD_ID", "REDIS_URL", "REDIS_USERNAME", "REDIS_DB",
            "NOTIFICATION_TTL", "STREAM_MAXLEN", "DRAIN_SECONDS", "LOG_LEVEL", "LOG_FORMAT", "TTL_JANITOR_INTERVAL",
            "GROUP_MAINTENANCE_INTERVAL", "RETENTION_TRIM_INTERVAL", "UPKEEP_INTERVAL", "USER_IDS",
        ] {
            #expect(output.contains(name), "\(name)")
        }
        for value in [":8080", "localhost:6379", "900s", "100"] { #expect(output.contains(value), "\(value)") }
    }

    @Test("--version is one line, and the version of health")
    func version() async throws {
        let (status, output, _) = try await run(["--version"])
        #expect(status == 0)
        let lines = output.split(separator: "\n")
        #expect(lines.count == 1)
        try await Pod.with { pod in
            let version = try #require(try await pod.get("/health").json["version"]?.string)
            #expect(lines.first?.contains(version) == true)
        }
    }

    @Test("REDIS_URL is used when REDIS_ADDR is unset, with its database", .standalone)
    func redisURL() async throws {
        let redis = try await RedisProcess.start()
        let url = "redis://127.0.0.1:\(redis.port)/2"
        let server = try await ServerProcess.start(
            redisPort: redis.port,
            environment: ["REDIS_ADDR": "", "REDIS_URL": url]
        )
        try await wait(until: "the heartbeat in database 2") {
            let client = try WireRedis(port: redis.port)
            try await client(["SELECT", "2"])
            return try await client(["EXISTS", "notif:pods:hb"]) == .integer(1)
        }
        #expect(try await WireRedis(port: redis.port)(["DBSIZE"]) == .integer(0))
        server.kill()
        await redis.stop()
    }

    @Test("REDIS_PASSWORD and REDIS_USERNAME log in", .standalone)
    func password() async throws {
        let redis = try await RedisProcess.start()
        let client = try WireRedis(port: redis.port)
        try await client(["ACL", "SETUSER", "hub", "on", ">secret word", "~*", "&*", "+@all"])
        try await client(["ACL", "SETUSER", "default", "resetpass", ">other"])
        for settings in [["REDIS_PASSWORD": "other"], ["REDIS_USERNAME": "hub", "REDIS_PASSWORD": "secret word"]] {
            let server = try await ServerProcess.start(redisPort: redis.port, environment: settings)
            try await wait(until: "health") {
                try await HTTPConnection(port: server.port).request("GET", "/health").status == 200
            }
            #expect(!server.output.contains("secret word"))
            server.kill()
        }
        await redis.stop()
    }

    @Test("limits are settings")
    func limits() async throws {
        try await Pod.with(["MAX_MESSAGE_BYTES": "10", "MAX_BODY_BYTES": "200"]) { pod in
            for (length, status) in [(9, 202), (10, 202), (11, 422), (300, 413)] {
                let body = notifyBody([TestUser()], String(repeating: "m", count: length))
                let answer = try await pod.post(body)
                #expect(answer.status == status, "\(length)")
            }
        }
    }

    @Test("text ids are a setting")
    func textIDs() async throws {
        try await Pod.with(["USER_IDS": "text"]) { pod in
            let body = #"{"target":[{"id":"a-b:c%{}","login":"x"},{"id":5,"login":"y"}],"message":"m"}"#
            let answer = try await pod.post(body)
            #expect(answer.status == 202, "\(answer.text)")
            #expect(try await pod.redis("XLEN", "stream:user:a%2Db%3Ac%25%7B%7D-x") == .integer(1))
            #expect(try await pod.redis("XLEN", "stream:user:5-y") == .integer(1))
            #expect(try await pod.post(#"{"target":[{"id":"55","login":"x"}],"message":"m"}"#).status == 422)
            let target = "/ws?user_id=a-b%3Ac%25%7B%7D&login=x"
            let client = try await WireClient.connect(port: pod.server.port, target)
            #expect(try await client.expect("notification.push")["message"] == .string("m"))
        }
    }

    @Test("an address without a host serves IPv4 and IPv6")
    func bothFamilies() async throws {
        let redis = try await RedisProcess.start()
        let port = try BuiltProgram.freePort()
        let process = try ChildProcess(
            BuiltProgram.server,
            environment: ["SERVER_ADDR": ":\(port)", "REDIS_ADDR": "127.0.0.1:\(redis.port)", "POD_ID": "both"]
        )
        try await wait(until: "IPv4", within: .seconds(20)) {
            guard let http = try? HTTPConnection(port: port) else { return false }
            return try await http.request("GET", "/live").status == 200
        }
        if FileSystem.hasIPv6 {
            #expect(try await HTTPConnection(port: port, ipv6: true).request("GET", "/live").status == 200)
        }
        process.kill()
        await redis.stop()
    }

    @Test("a port that is taken is one clear line, not a trace")
    func takenPort() async throws {
        try await Pod.with { pod in
            let settings = [
                "SERVER_ADDR": "127.0.0.1:\(pod.server.port)", "REDIS_ADDR": "127.0.0.1:\(pod.redisProcess.port)",
            ]
            let (status, output, errors) = try await run([], settings.merging(["POD_ID": "second"]) { $1 })
            #expect(status > 0)
            #expect((output + errors).contains("\(pod.server.port)"))
            #expect(!(output + errors).contains("Fatal error"))
        }
    }
}
