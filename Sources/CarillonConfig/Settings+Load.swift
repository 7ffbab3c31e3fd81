import CarillonDomain
import FoundationEssentials
import Logging

extension Settings {
    /// Reads all settings, flags before environment variables, and checks them.
    ///
    /// - Parameters:
    ///   - arguments: Like `CommandLine.arguments`, the program's name first.
    ///   - environment: An empty value counts as unset.
    /// - Throws: The first problem found, as one line for the operator.
    package static func load(
        arguments: [String] = CommandLine.arguments,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SettingsError) -> Settings {
        try load(CommandLineFlags(arguments), environment: environment)
    }

    static func load(_ flags: CommandLineFlags, environment: [String: String]) throws(SettingsError) -> Settings {
        let values = SettingValues(flags: flags, environment: environment)
        let redis = try Redis.load(values)
        if flags.switches.contains(.dev), redis.sentinels != nil || redis.cluster != nil {
            let other = redis.cluster == nil ? "REDIS_SENTINELS" : "REDIS_CLUSTER"
            throw SettingsError("--dev: a Redis of its own and \(other) exclude each other")
        }
        return Settings(
            listen: try values.required("SERVER_ADDR", AddressText.listen),
            podID: try values.parsed("POD_ID") { isPodID($0) ? $0 : nil } ?? FilePath.hostName(),
            drain: try values.duration("DRAIN_SECONDS"),
            webFolder: try values.parsed("WEB_DIR") { FilePath.isFolder($0) ? $0 : nil } ?? FilePath.defaultWebFolder(),
            allowedOrigins: try values.parsed("FRONTEND_URL", AllowedOrigins.init),
            eventTypes: try values.parsed("EVENT_TYPES", eventTypes) ?? [],
            redis: redis,
            notifications: Notifications(
                ttl: try values.duration("NOTIFICATION_TTL"),
                streamMaxLength: try values.integer("STREAM_MAXLEN"),
                waitReplicas: try values.integer("NOTIFY_WAIT_REPLICAS")
            ),
            notifyLimits: try notifyLimits(values),
            webSocket: WebSocket(
                outboxBytes: try values.integer("OUTBOX_BYTES"),
                pingInterval: try values.duration("PING_INTERVAL"),
                messagesPerSecond: try values.integer("WS_MESSAGES_PER_SECOND")
            ),
            workers: try workers(values),
            log: Log(
                level: try values.choice("LOG_LEVEL", of: Logger.Level.self),
                format: try values.choice("LOG_FORMAT", of: Log.Format.self)
            ),
            startsRedis: flags.switches.contains(.dev)
        )
    }

    private static func notifyLimits(_ values: SettingValues) throws(SettingsError) -> NotifyLimits {
        var limits = NotifyLimits()
        limits.userIDs = try values.choice("USER_IDS", of: UserIDKind.self)
        limits.messageBytes = try values.integer("MAX_MESSAGE_BYTES")
        limits.bodyBytes = try values.integer("MAX_BODY_BYTES")
        return limits
    }

    private static func workers(_ values: SettingValues) throws(SettingsError) -> Workers {
        let workers = Workers(
            heartbeatInterval: try values.duration("HEARTBEAT_INTERVAL"),
            ttlJanitorInterval: try values.duration("TTL_JANITOR_INTERVAL"),
            retentionTrimInterval: try values.duration("RETENTION_TRIM_INTERVAL"),
            groupMaintenanceInterval: try values.duration("GROUP_MAINTENANCE_INTERVAL"),
            upkeepInterval: try values.duration("UPKEEP_INTERVAL"),
            lockTTL: try values.duration("LOCK_TTL"),
            sweepStreamsPerSecond: try values.integer("SWEEP_STREAMS_PER_SECOND"),
            busMaxLength: try values.integer("BUS_MAXLEN")
        )
        guard workers.lockTTL > workers.upkeepInterval * 2 else {
            // A lock has to outlive one renewal that fails.
            throw SettingsError(
                "LOCK_TTL: \(DurationText.format(workers.lockTTL)) is not more than twice UPKEEP_INTERVAL "
                    + "(\(DurationText.format(workers.upkeepInterval)))"
            )
        }
        return workers
    }

    private static func eventTypes(_ text: String) -> [String]? {
        let types = text.split(separator: ",").map { part in
            var part = part
            while part.first == " " { part.removeFirst() }
            while part.last == " " { part.removeLast() }
            return String(part)
        }
        guard types.count <= 100 else { return nil }
        return types.allSatisfy { (1...Limits.typeBytes).contains($0.utf8.count) } ? types : nil
    }

    static func isPodID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy(isPodIDByte)
    }

    static func isPodIDByte(_ byte: UInt8) -> Bool {
        SettingValues.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || "._-".utf8.contains(byte)
    }
}
