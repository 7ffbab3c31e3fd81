package import CarillonDomain
package import Logging

/// Everything that an operator can choose, checked. `SettingDefinition.all` says what each one means.
package struct Settings: Sendable {
    /// `SERVER_ADDR`
    package var listen: ListenAddress
    /// `POD_ID`
    package var podID: String
    /// `DRAIN_SECONDS`
    package var drain: Duration
    /// `WEB_DIR`, nil where it was not given and no folder `web` was found.
    package var webFolder: String?
    /// `FRONTEND_URL`, nil where only pages of the server's own origin may call it.
    package var allowedOrigins: AllowedOrigins?
    /// `EVENT_TYPES`
    package var eventTypes: [String]
    package var redis: Redis
    package var notifications: Notifications
    /// `MAX_MESSAGE_BYTES`, `MAX_BODY_BYTES`, `USER_IDS`
    package var notifyLimits: NotifyLimits
    package var webSocket: WebSocket
    package var workers: Workers
    package var log: Log
    /// `--dev`: a redis-server of its own is started where none answers.
    package var startsRedis: Bool

    package struct ListenAddress: Hashable, Sendable {
        /// nil for every IPv4 and IPv6 address; an IPv6 address stands without brackets.
        package var host: String?
        /// 0 takes a free port.
        package var port: Int

        package init(host: String?, port: Int) {
            self.host = host
            self.port = port
        }
    }

    package struct Notifications: Sendable {
        /// `NOTIFICATION_TTL`, whole seconds.
        package var ttl: Duration
        /// `STREAM_MAXLEN`
        package var streamMaxLength: Int
        /// `NOTIFY_WAIT_REPLICAS`
        package var waitReplicas: Int
    }

    package struct WebSocket: Sendable {
        /// `OUTBOX_BYTES`
        package var outboxBytes: Int
        /// `PING_INTERVAL`
        package var pingInterval: Duration
        /// `WS_MESSAGES_PER_SECOND`
        package var messagesPerSecond: Int
    }

    package struct Workers: Sendable {
        /// `HEARTBEAT_INTERVAL`
        package var heartbeatInterval: Duration
        /// `TTL_JANITOR_INTERVAL`
        package var ttlJanitorInterval: Duration
        /// `RETENTION_TRIM_INTERVAL`
        package var retentionTrimInterval: Duration
        /// `GROUP_MAINTENANCE_INTERVAL`
        package var groupMaintenanceInterval: Duration
        /// `UPKEEP_INTERVAL`
        package var upkeepInterval: Duration
        /// `LOCK_TTL`, more than twice `upkeepInterval`.
        package var lockTTL: Duration
        /// `SWEEP_STREAMS_PER_SECOND`, for all pods together.
        package var sweepStreamsPerSecond: Int
        /// `BUS_MAXLEN`
        package var busMaxLength: Int
    }

    package struct Log: Sendable {
        /// `LOG_FORMAT`
        package enum Format: String, Sendable {
            case text
            case json
        }

        /// `LOG_LEVEL`
        package var level: Logger.Level
        package var format: Format

        package init(level: Logger.Level, format: Format) {
            self.level = level
            self.format = format
        }
    }
}
