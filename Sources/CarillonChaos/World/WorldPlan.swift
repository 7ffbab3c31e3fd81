/// What a world is made of.
package struct WorldPlan: Sendable {
    package var pods = 3
    /// Settings of every pod, over those for all runs.
    package var settings: [String: String] = [:]
    /// The folder for the pods' logs; made where it is missing.
    package var logFolder: String

    package init(pods: Int = 3, settings: [String: String] = [:], logFolder: String) {
        self.pods = pods
        self.settings = settings
        self.logFolder = logFolder
    }

    static let payloadLife = Duration.seconds(3_600)

    /// Nothing may expire or be trimmed within a run, and what the sweep repairs must be seen repaired at its end.
    static let commonSettings = [
        "STREAM_MAXLEN": "10000", "NOTIFICATION_TTL": "\(payloadLife.components.seconds)s",
        "GROUP_MAINTENANCE_INTERVAL": "3s", "PING_INTERVAL": "3s",
    ]

    /// What `scripts/redis.conf` asks of Redis.
    static let redisArguments = [
        "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
        "--stream-node-max-entries", "16", "--stream-node-max-bytes", "1024",
    ]
}

/// What the load's devices can be told to do.
package enum DeviceAct: Sendable {
    /// All lose their connections at the same moment.
    case drop
    /// A share of them, from 0 to 1, takes nothing from its sockets.
    case fallAsleep(share: Double)
    case wake
    /// So many of them send far more than they may.
    case flood(Int)
    case stopFlood
}

/// What a world asks of the load that runs on it.
package struct WorldHooks: Sendable {
    /// Pods have joined or left; devices and posters may use these ports.
    package var portsChanged: @Sendable ([Int]) async -> Void
    /// Devices do something out of the ordinary.
    package var devices: @Sendable (DeviceAct) async -> Void
    /// A line for who watches the run.
    package var say: @Sendable (String) -> Void

    package init(
        portsChanged: @escaping @Sendable ([Int]) async -> Void = { _ in },
        devices: @escaping @Sendable (DeviceAct) async -> Void = { _ in },
        say: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.portsChanged = portsChanged
        self.devices = devices
        self.say = say
    }
}

/// The server did not do what it promises, seen from outside: a finding, while other errors are the harness's own.
package struct BrokenPromise: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
