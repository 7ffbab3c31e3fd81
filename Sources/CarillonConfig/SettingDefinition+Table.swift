extension SettingDefinition {
    /// Every setting there is, in the order of `--help` and of the README.
    package static let all: [SettingDefinition] = [
        SettingDefinition(
            .server,
            "SERVER_ADDR",
            .text(rule: "an address such as :8080, 127.0.0.1:8080 or [::1]:8080"),
            default: ":8080",
            "Where to listen. Without a host: every IPv4 and IPv6 address. Port 0 takes a free one."
        ),
        SettingDefinition(
            .server,
            "POD_ID",
            .text(rule: "1 to 128 letters, digits or any of . _ -"),
            note: "host name",
            "Name of this server among all that share the Redis. Of two with one name the newer one stays."
        ),
        SettingDefinition(
            .server,
            "DRAIN_SECONDS",
            .duration(.zero ... .seconds(10), unit: .seconds(1)),
            default: "3",
            "Time for which a stopping server goes on answering requests, and over which it spreads the closing of its "
                + "sockets."
        ),
        SettingDefinition(
            .server,
            "WEB_DIR",
            .text(rule: "a folder that can be read"),
            note: "web",
            "Folder of the web interface. By default web in the working directory or beside the program."
        ),
        SettingDefinition(
            .server,
            "FRONTEND_URL",
            .text(
                rule:
                    "* or a comma-separated list of origins such as https://app.example or http://localhost:5173, without a path"
            ),
            "Origins whose pages may call this server and load its scripts; without it only pages of its own origin may."
        ),
        SettingDefinition(
            .server,
            "EVENT_TYPES",
            .text(rule: "a comma-separated list of at most 100 names of 1 to 128 bytes"),
            "Types that notification_processing_time_seconds tells apart; all others count as other."
        ),

        SettingDefinition(
            .redis,
            "REDIS_ADDR",
            .text(rule: "an address such as redis:6379, [::1]:6379 or unix:/run/redis.sock"),
            default: "localhost:6379",
            "Where Redis is. Without a port: 6379."
        ),
        SettingDefinition(
            .redis,
            "REDIS_URL",
            .text(rule: "a URL such as redis://user:password@host:6379/0, rediss://host or unix:///run/redis.sock"),
            isSecret: true,
            "Used when REDIS_ADDR is unset; REDIS_USERNAME, REDIS_PASSWORD and REDIS_DB win over its parts."
        ),
        SettingDefinition(
            .redis,
            "REDIS_USERNAME",
            .text(rule: "a name without control characters"),
            "User of Redis's access control list. Without it the password is the default user's."
        ),
        SettingDefinition(
            .redis,
            "REDIS_PASSWORD",
            .text(rule: "any text"),
            isSecret: true,
            "Password for Redis."
        ),
        SettingDefinition(
            .redis,
            "REDIS_CLUSTER",
            .text(rule: "a comma-separated list of different addresses such as r1:6379,r2,[::1]:6379"),
            "Some nodes of a Redis Cluster, which know the others, instead of REDIS_ADDR. Without a port: 6379."
        ),
        SettingDefinition(
            .redis,
            "REDIS_SENTINELS",
            .text(rule: "a comma-separated list of different addresses such as s1:26379,s2,[::1]:26379"),
            "Redis Sentinels that say where the primary is, instead of REDIS_ADDR. Without a port: 26379."
        ),
        SettingDefinition(
            .redis,
            "REDIS_MASTER_NAME",
            .text(rule: "a name of printable ASCII without spaces"),
            default: "mymaster",
            "What the Sentinels call the primary."
        ),
        SettingDefinition(
            .redis,
            "REDIS_SENTINEL_USERNAME",
            .text(rule: "a name without control characters"),
            "User of the Sentinels' access control list."
        ),
        SettingDefinition(
            .redis,
            "REDIS_SENTINEL_PASSWORD",
            .text(rule: "any text"),
            isSecret: true,
            "Password for the Sentinels."
        ),
        SettingDefinition(.redis, "REDIS_DB", .integer(0...15), default: "0", "Number of the Redis database."),
        SettingDefinition(
            .redis,
            "REDIS_TLS",
            .boolean,
            default: "false",
            "Speak TLS to Redis, as a rediss:// URL does."
        ),
        SettingDefinition(
            .redis,
            "REDIS_TLS_CA",
            .text(rule: "a file that can be read"),
            note: "system's",
            "PEM file of the authorities that may sign the certificate of Redis."
        ),
        SettingDefinition(
            .redis,
            "REDIS_COMMAND_TIMEOUT",
            .duration(.milliseconds(100) ... .seconds(60), unit: .milliseconds(1)),
            default: "5s",
            "Time until a command without an answer fails and the connection is set up again."
        ),

        SettingDefinition(
            .notifications,
            "NOTIFICATION_TTL",
            .duration(.seconds(1) ... .seconds(1_296_000), unit: .seconds(1)),
            default: "900s",
            "Life of a notification's payload when the request names no ttl_seconds."
        ),
        SettingDefinition(
            .notifications,
            "NOTIFY_WAIT_REPLICAS",
            .integer(0...5),
            default: "0",
            "So many replicas of Redis must have a notification within a second, or its post is answered 503."
        ),
        SettingDefinition(
            .notifications,
            "STREAM_MAXLEN",
            .integer(1...100_000),
            default: "100",
            "Notifications that a user's stream keeps; older ones go, read or not."
        ),
        SettingDefinition(
            .notifications,
            "USER_IDS",
            .choice(["int", "text"]),
            default: "int",
            "What user ids are: integers only, or also text such as UUIDs."
        ),
        SettingDefinition(
            .notifications,
            "MAX_MESSAGE_BYTES",
            .integer(1...1_048_576),
            default: "262144",
            "Longest message, and longest data, of a notification."
        ),
        SettingDefinition(
            .notifications,
            "MAX_BODY_BYTES",
            .integer(1...16_777_216),
            default: "1048576",
            "Longest body of a request."
        ),

        SettingDefinition(
            .devices,
            "OUTBOX_BYTES",
            .integer(65_536...1_073_741_824),
            default: "1048576",
            "Bytes that may wait for a device before it is closed as a slow consumer (1013)."
        ),
        SettingDefinition(
            .devices,
            "PING_INTERVAL",
            .duration(.seconds(1) ... .seconds(600), unit: .milliseconds(1)),
            default: "25s",
            "Time between pings; a device that answers neither of two is closed."
        ),
        SettingDefinition(
            .devices,
            "WS_MESSAGES_PER_SECOND",
            .integer(1...100_000),
            default: "200",
            "Frames that are read from a device per second; one that keeps sending more is closed (4429)."
        ),

        SettingDefinition(
            .workers,
            "HEARTBEAT_INTERVAL",
            .duration(.milliseconds(100) ... .seconds(2), unit: .milliseconds(1)),
            default: "1s",
            "Time between signs of life; a pod that gives none for 3 s is taken for dead."
        ),
        interval("TTL_JANITOR_INTERVAL", "Time between rounds of the worker that clears expired notifications."),
        interval("RETENTION_TRIM_INTERVAL", "Time between rounds of the worker that applies the users' retention."),
        interval("GROUP_MAINTENANCE_INTERVAL", "Time between rounds of the worker that repairs consumer groups."),
        SettingDefinition(
            .workers,
            "UPKEEP_INTERVAL",
            .duration(.seconds(1) ... .seconds(240), unit: .milliseconds(1)),
            default: "20s",
            "Time between renewals of the locks and the presence of connected users."
        ),
        SettingDefinition(
            .workers,
            "LOCK_TTL",
            .duration(.seconds(3) ... .seconds(600), unit: .milliseconds(1)),
            default: "60s",
            "Life of a user's lock without renewal. More than twice UPKEEP_INTERVAL."
        ),
        SettingDefinition(
            .workers,
            "SWEEP_STREAMS_PER_SECOND",
            .integer(1...200),
            default: "200",
            "Streams that the safety sweep of all pods together looks at per second."
        ),
        SettingDefinition(
            .workers,
            "BUS_MAXLEN",
            .integer(100...1_000_000),
            default: "10000",
            "Entries that a pod's bus keeps; a pod that falls behind further reads its users' streams."
        ),

        SettingDefinition(
            .log,
            "LOG_LEVEL",
            .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
            default: "info",
            "Least severe level that is logged."
        ),
        SettingDefinition(
            .log,
            "LOG_FORMAT",
            .choice(["text", "json"]),
            default: "text",
            "Lines for people, or one JSON object per line. Both go to standard error."
        ),
    ]

    private static func interval(_ name: String, _ help: String) -> SettingDefinition {
        SettingDefinition(
            .workers,
            name,
            .duration(.seconds(1) ... .seconds(3_600), unit: .milliseconds(1)),
            default: "60s",
            help
        )
    }
}
