import CarillonTestSupport
import Testing

/// One server with a Redis of its own.
final class Pod: Sendable {
    let server: ServerProcess
    let redisProcess: RedisProcess
    /// Where Redis is, as pods beside this one need it.
    private let settings: [String: String]

    /// The pod that the suite's `.pod` trait started.
    @TaskLocal static var suite: Pod?

    static var current: Pod {
        get throws { try #require(suite, "the suite lacks the .pod trait") }
    }

    private init(server: ServerProcess, redisProcess: RedisProcess, settings: [String: String] = [:]) {
        self.server = server
        self.redisProcess = redisProcess
        self.settings = settings
    }

    /// Starts a pod, runs the body and ends the pod.
    ///
    /// - Parameter settings: Further settings, which depend on the Redis that was started.
    static func with<T>(
        _ environment: [String: String] = [:],
        redis arguments: [String] = [],
        settings: (RedisProcess) -> [String: String] = { _ in [:] },
        _ body: (Pod) async throws -> T
    ) async throws -> T {
        // Two that hold a pod each and wait for a second one would wait for ever.
        try #require(suite == nil, "a suite with the .pod trait must not start another pod")
        try await Slots.shared.take()
        do {
            let result = try await started(environment, redis: arguments, settings, body)
            await Slots.shared.giveBack()
            return result
        } catch {
            await Slots.shared.giveBack()
            throw error
        }
    }

    private static func started<T>(
        _ environment: [String: String],
        redis arguments: [String],
        _ settings: (RedisProcess) -> [String: String],
        _ body: (Pod) async throws -> T
    ) async throws -> T {
        let redis = try await RedisProcess.start(arguments)
        do {
            let environment = environment.merging(settings(redis)) { $1 }
            let server = try await ServerProcess.start(redisPort: redis.port, environment: environment)
            defer { server.kill() }
            let result = try await body(Pod(server: server, redisProcess: redis))
            await redis.stop()
            return result
        } catch {
            await redis.stop()
            throw error
        }
    }

    /// Starts several servers of Redis, and a pod that uses them.
    static func with<Group: RedisGroup, T>(
        group: @autoclosure () async throws -> Group,
        _ environment: [String: String] = [:],
        _ body: (Pod, Group) async throws -> T
    ) async throws -> T {
        try #require(suite == nil, "a suite with the .pod trait must not start another pod")
        try await Slots.shared.take()
        let result = await Result { try await started(group, environment, body) }
        await Slots.shared.giveBack()
        return try result.get()
    }

    private static func started<Group: RedisGroup, T>(
        _ start: () async throws -> Group,
        _ environment: [String: String],
        _ body: (Pod, Group) async throws -> T
    ) async throws -> T {
        let group = try await start()
        let result = await Result {
            let settings = group.settings.merging(environment) { $1 }
            let server = try await ServerProcess.start(redisPort: group.first.port, environment: settings)
            defer { server.kill() }
            return try await body(Pod(server: server, redisProcess: group.first, settings: settings), group)
        }
        await group.stop()
        return try result.get()
    }

    /// Another pod on the same Redis; whoever starts it kills its server.
    func another(_ environment: [String: String] = [:]) async throws -> Pod {
        let settings = settings.merging(environment) { $1 }
        let server = try await ServerProcess.start(redisPort: redisProcess.port, environment: settings)
        return Pod(server: server, redisProcess: redisProcess, settings: settings)
    }

    // MARK: HTTP

    func http() throws -> HTTPConnection { try HTTPConnection(port: server.port) }

    func get(_ target: String) async throws -> WireResponse { try await http().request("GET", target) }

    /// Posts JSON text (or any bytes) to `/api/v1/notify`.
    func post(
        _ body: some Collection<UInt8>,
        headers: [(String, String)] = [("Content-Type", "application/json")],
        on connection: HTTPConnection? = nil
    ) async throws -> WireResponse {
        let connection = try connection ?? http()
        return try await connection.request("POST", "/api/v1/notify", headers: headers, body: body)
    }

    func post(_ body: String, key: String? = nil) async throws -> WireResponse {
        var headers = [("Content-Type", "application/json")]
        if let key { headers.append(("Idempotency-Key", key)) }
        return try await post(Array(body.utf8), headers: headers)
    }

    /// Notifies users and expects 202. - Returns: the notification ids in the order of the answer.
    @discardableResult
    func notify(
        _ users: TestUser...,
        message: String = "hello",
        members: String = "",
        on connection: HTTPConnection? = nil
    ) async throws -> [String] {
        let answer = try await post(Array(notifyBody(users, message, members).utf8), on: connection)
        try #require(answer.status == 202, "\(answer.status) \(answer.text)")
        return try #require(try answer.json["results"]?.array).compactMap { $0["notification_id"]?.string }
    }

    // MARK: WebSocket

    /// Opens a WebSocket and leaves all messages to be read.
    func connect(_ user: TestUser, _ query: String = "") async throws -> WireClient {
        try await WireClient.connect(port: server.port, "/ws?\(user.query)\(query)")
    }

    /// Opens a WebSocket and takes the replay up to `session.ready`.
    func device(_ user: TestUser, _ query: String = "") async throws -> Device {
        try await Device(client: connect(user, query))
    }

    // MARK: Redis

    @discardableResult
    func redis(_ arguments: String...) async throws -> WireReply {
        try await WireRedis(port: redisProcess.port)(arguments)
    }

    /// How many entries the group holds as pending; nil where there is no group.
    func pendingCount(_ user: TestUser) async throws -> Int? {
        do {
            return try await redis("XPENDING", user.stream, "notifications").array.first?.int
        } catch WireError.unexpected(let what) where what.contains("NOGROUP") {
            return nil
        }
    }

    /// Stores a notification as another program would: payload first, then the stream entry.
    func storeByHand(
        _ user: TestUser,
        id: String = "*",
        message: String = "by hand",
        ttl: Int? = nil
    ) async throws -> (notification: String, stream: String) {
        let notification = newUUID()
        let payload = """
            {"notification_id":"\(notification)","message":\(WireJSON.quoted(message)),\
            "created_at":"2024-01-01T12:00:00Z","source":"elsewhere","target":\(user.json)}
            """
        try await redis("SET", "notification:\(notification)", payload)
        if let ttl { try await redis("EXPIRE", "notification:\(notification)", "\(ttl)") }
        let stream = try await redis("XADD", user.stream, id, "nid", notification).string
        return (notification, try #require(stream))
    }

    /// A value of `/metrics` without labels.
    func metric(_ name: String) async throws -> Double {
        let lines = try await get("/metrics").text.split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("\(name) ") }, "no metric \(name)")
        return try #require(Double(line.dropFirst(name.count + 1)))
    }
}

/// A device whose replay is over.
struct Device {
    let client: WireClient
    /// Data of the pushes that came before `session.ready`.
    let replay: [WireJSON]
    /// Data of `session.ready`.
    let ready: WireJSON

    init(client: WireClient) async throws {
        var replay: [WireJSON] = []
        while true {
            let message = try await client.message(within: .seconds(10))
            if message.type == "session.ready" {
                self.init(client: client, replay: replay, ready: message.data)
                return
            }
            if message.type == "notification.push" { replay.append(message.data) }
        }
    }

    private init(client: WireClient, replay: [WireJSON], ready: WireJSON) {
        self.client = client
        self.replay = replay
        self.ready = ready
    }

    var epoch: String { ready["epoch"]?.string ?? ready["epoch"]?.numberText ?? "" }

    /// The next push, which must be the next message.
    func push(within: Duration = .seconds(5)) async throws -> WireJSON {
        try await client.expect("notification.push", within: within)
    }

    /// Says that it read the notification and waits for the acknowledgement.
    func read(_ push: WireJSON) async throws {
        try await client.send("notification.read", pair(push))
        while true {
            let data = try await client.first("notification.read.ack")
            if data["notification_id"] == push["notification_id"] { return }
        }
    }

    /// Everything that the hub had to say so far.
    func messages() async throws -> [WireMessage] { try await client.messagesUntilNow() }
}

extension Result where Failure == any Error {
    /// What became of `body`.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
