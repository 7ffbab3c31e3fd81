internal import CarillonLoad
internal import CarillonTestSupport

/// This project's server: one pod or several, and a Redis or a cluster of their own.
actor CarillonHub: Hub {
    nonisolated let name = "carillon"
    private let pods: Int
    /// The first pod publishes and the others have the devices, so that each message has to cross.
    private let isCrossed: Bool
    /// Of a cluster; nil for a Redis that is none.
    private let primaries: Int?
    private var redisGroup: (any RedisGroup)?
    private var servers: [ServerProcess] = []

    init(pods: Int = 1, isCrossed: Bool = false, primaries: Int? = nil) {
        self.primaries = primaries
        self.pods = pods
        self.isCrossed = isCrossed
    }

    func start() async throws {
        let redis: any RedisGroup =
            if let primaries {
                try await ClusterGroup.start(primaries: primaries, nodeTimeout: 5_000, RedisProcess.benchArguments)
            } else {
                SingleRedis(try await RedisProcess.startForBench())
            }
        redisGroup = redis
        for number in 1...pods { servers.append(try await launch(redis, number, port: nil)) }
    }

    private func launch(_ redis: any RedisGroup, _ number: Int, port: Int?) async throws -> ServerProcess {
        try await ServerProcess.start(
            redisPort: redis.first.port,
            port: port,
            podID: "bench-\(number)",
            environment: redis.settings.merging(["LOG_LEVEL": "error"]) { $1 }
        )
    }

    func crash() { servers.forEach { $0.kill() } }

    func restart() async throws {
        guard let redisGroup else { return }
        for index in servers.indices {
            servers[index] = try await launch(redisGroup, index + 1, port: servers[index].port)
        }
    }

    func stop() async {
        servers.forEach { $0.kill() }
        servers = []
        await redisGroup?.stop()
        redisGroup = nil
    }

    func wire(_ shape: LoadShape) -> HubWire {
        let addresses = servers.map { LoadAddress.loopback(port: $0.port) }
        return .carillon(
            subscribers: isCrossed ? Array(addresses.dropFirst()) : addresses,
            publishers: isCrossed ? Array(addresses.prefix(1)) : addresses,
            isTopics: shape.isTopics
        )
    }

    func processes() -> ProcessMeter? { ProcessMeter(pids: servers.map(\.process.processID)) }

    func redis() -> [RedisProcess] { redisGroup?.processes ?? [] }
}

extension HubWire {
    /// - Parameter prefix: Of the paths, where a proxy has one.
    /// - Source: docs/PROTOCOL.md
    static func carillon(
        subscribers: [LoadAddress],
        publishers: [LoadAddress],
        isTopics: Bool,
        prefix: String = ""
    ) -> HubWire {
        let user =
            isTopics ? "user_id=<device>&login=bench<device>&channels=bench<user>" : "user_id=<user>&login=bench<user>"
        let audience = isTopics ? #""audience":{"channel":"bench<user>"}"# : #""target":[<targets>]"#
        return HubWire(
            subscribers: subscribers,
            publishers: publishers,
            target: Template("\(prefix)/ws?\(user)"),
            ready: .frame("session.ready"),
            resume: .carillon,
            publishing: .http(
                path: Template("\(prefix)/api/v1/notify"),
                body: Template(
                    #"{\#(audience),"message":"<message>","source":"bench"}"#,
                    target: #"{"id":<user>,"login":"bench<user>"}"#
                )
            )
        )
    }
}
