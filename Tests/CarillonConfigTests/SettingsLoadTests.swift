import CarillonDomain
import Logging
import Testing

@testable import CarillonConfig

@Suite("Loading of settings")
struct SettingsLoadTests {
    @Test func theDefaultsAreTheContracts() throws {
        let settings = try load()
        #expect(settings.listen == Settings.ListenAddress(host: nil, port: 8_080))
        #expect(Settings.isPodID(settings.podID))
        #expect(settings.drain == .seconds(3))
        #expect(settings.eventTypes == [])
        #expect(
            settings.redis
                == Settings.Redis(address: .tcp(host: "localhost", port: 6_379), commandTimeout: .seconds(5))
        )
        #expect(settings.notifications.ttl == .seconds(900))
        #expect(settings.notifications.streamMaxLength == 100)
        #expect(settings.notifyLimits.messageBytes == NotifyLimits().messageBytes)
        #expect(settings.notifyLimits.bodyBytes == NotifyLimits().bodyBytes)
        #expect(settings.notifyLimits.userIDs == .int)
        #expect(settings.webSocket.outboxBytes == 1_048_576)
        #expect(settings.webSocket.pingInterval == .seconds(25))
        #expect(settings.webSocket.messagesPerSecond == 200)
        #expect(settings.workers.heartbeatInterval == .seconds(1))
        #expect(settings.workers.ttlJanitorInterval == .seconds(60))
        #expect(settings.workers.retentionTrimInterval == .seconds(60))
        #expect(settings.workers.groupMaintenanceInterval == .seconds(60))
        #expect(settings.workers.upkeepInterval == .seconds(20))
        #expect(settings.workers.lockTTL == .seconds(60))
        #expect(settings.workers.sweepStreamsPerSecond == 200)
        #expect(settings.workers.busMaxLength == 10_000)
        #expect(settings.log.level == .info)
        #expect(settings.log.format == .text)
        #expect(!settings.startsRedis)
    }

    @Test func everySettingArrivesAtItsPlace() throws {
        let settings = try load(
            ["--dev"],
            [
                "SERVER_ADDR": "[::1]:81", "POD_ID": "p1", "DRAIN_SECONDS": "0", "REDIS_ADDR": "r:7000",
                "REDIS_USERNAME": "u", "REDIS_PASSWORD": "p,w d", "REDIS_DB": "3", "REDIS_TLS": "yes",
                "REDIS_COMMAND_TIMEOUT": "700ms", "NOTIFICATION_TTL": "15m", "STREAM_MAXLEN": "101", "USER_IDS": "text",
                "MAX_MESSAGE_BYTES": "102", "MAX_BODY_BYTES": "103", "OUTBOX_BYTES": "65537", "PING_INTERVAL": "11s",
                "WS_MESSAGES_PER_SECOND": "104", "HEARTBEAT_INTERVAL": "900ms", "TTL_JANITOR_INTERVAL": "12s",
                "RETENTION_TRIM_INTERVAL": "13s", "GROUP_MAINTENANCE_INTERVAL": "14s", "UPKEEP_INTERVAL": "15s",
                "LOCK_TTL": "31s", "SWEEP_STREAMS_PER_SECOND": "105", "BUS_MAXLEN": "106", "LOG_LEVEL": "debug",
                "LOG_FORMAT": "json",
            ]
        )
        #expect(settings.listen == Settings.ListenAddress(host: "::1", port: 81))
        #expect(settings.podID == "p1")
        #expect(settings.drain == .zero)
        #expect(
            settings.redis
                == Settings.Redis(
                    address: .tcp(host: "r", port: 7_000),
                    username: "u",
                    password: "p,w d",
                    database: 3,
                    usesTLS: true,
                    commandTimeout: .milliseconds(700)
                )
        )
        #expect(settings.notifications.ttl == .seconds(900))
        #expect(settings.notifications.streamMaxLength == 101)
        #expect(settings.notifyLimits.userIDs == .text)
        #expect(settings.notifyLimits.messageBytes == 102)
        #expect(settings.notifyLimits.bodyBytes == 103)
        #expect(settings.webSocket.outboxBytes == 65_537)
        #expect(settings.webSocket.pingInterval == .seconds(11))
        #expect(settings.webSocket.messagesPerSecond == 104)
        #expect(settings.workers.heartbeatInterval == .milliseconds(900))
        #expect(settings.workers.ttlJanitorInterval == .seconds(12))
        #expect(settings.workers.retentionTrimInterval == .seconds(13))
        #expect(settings.workers.groupMaintenanceInterval == .seconds(14))
        #expect(settings.workers.upkeepInterval == .seconds(15))
        #expect(settings.workers.lockTTL == .seconds(31))
        #expect(settings.workers.sweepStreamsPerSecond == 105)
        #expect(settings.workers.busMaxLength == 106)
        #expect(settings.log.level == .debug)
        #expect(settings.log.format == .json)
        #expect(settings.startsRedis)
    }

    @Test func aFlagWinsOverTheEnvironment() throws {
        let environment = ["STREAM_MAXLEN": "50", "POD_ID": "env"]
        let settings = try load(["--stream-maxlen", "60"], environment)
        #expect(settings.notifications.streamMaxLength == 60)
        #expect(settings.podID == "env")
        #expect(try load(["--stream-maxlen=61"], environment).notifications.streamMaxLength == 61)
        #expect(refusal(["--stream-maxlen=x"], environment)?.contains("STREAM_MAXLEN: \"x\"") == true)
    }

    @Test func anEmptyVariableCountsAsUnset() throws {
        let settings = try load([], ["STREAM_MAXLEN": "", "REDIS_ADDR": "", "REDIS_PASSWORD": "", "POD_ID": ""])
        #expect(settings.notifications.streamMaxLength == 100)
        #expect(settings.redis.password == nil)
        #expect(!settings.podID.isEmpty)
    }

    @Test(arguments: SettingDefinition.all.filter { !$0.isSecret }.map(\.name))
    func everySettingHasAFlagThatReachesIt(name: String) throws {
        let flag = try #require(SettingDefinition.named(name).flag)
        // No setting accepts this: addresses lack a colon, files do not exist, names hold a control character.
        let line = try #require(refusal(["\(flag)=no\u{1}:such:value" + String(repeating: "x", count: 200)]))
        #expect(line.hasPrefix("carillon-server: \(name): \"no\\u0001:such:value"), "\(line)")
    }

    @Test func aFlagMayHoldCommas() {
        #expect(
            refusal(["--web-dir", "/a,b,,c"])
                == "carillon-server: WEB_DIR: \"/a,b,,c\" is not a folder that can be read"
        )
    }

    @Test func aBooleanFlagNeedsNoValue() throws {
        #expect(try load(["--redis-tls", "--pod-id", "x"]).redis.usesTLS)
        #expect(try load(["--redis-tls"]).redis.usesTLS)
        #expect(try !load(["--redis-tls", "false"], ["REDIS_TLS": "true"]).redis.usesTLS)
    }

    @Test(arguments: [
        (["--redis-adr", "x"], "unknown flag \"--redis-adr\"; did you mean --redis-addr?"),
        (["--hlep"], "unknown flag \"--hlep\"; did you mean --help?"),
        (["--something-else"], "unknown flag \"--something-else\"; see --help"),
        (["-x"], "unknown flag \"-x\"; see --help"),
        (["start"], "\"start\" is not a flag; see --help"),
        (["--pod-id", "a", "b"], "\"b\" is not a flag; see --help"),
        (["--pod-id"], "--pod-id needs a value"),
        (["--pod-id="], "--pod-id needs a value"),
        (["--pod-id", "--dev"], "--pod-id needs a value"),
        (["--pod-id", "a", "--pod-id=b"], "--pod-id is given twice"),
        (
            ["--redis-password", "x"],
            "REDIS_PASSWORD is a secret and has no flag, as others could read it; set it in the environment"
        ),
        (
            ["--redis-url=redis://h"],
            "REDIS_URL is a secret and has no flag, as others could read it; set it in the environment"
        ),
        (["--dev=1"], "--dev takes no value"),
        (["--x\u{1b}[31m"], "unknown flag \"--x\\u001b[31m\"; see --help"),
    ])
    func wrongArgumentsAreRefused(flags: [String], message: String) {
        #expect(refusal(flags) == "carillon-server: \(message)")
    }

    @Test func theExitCodeIsThatOfWrongUsage() {
        #expect(SettingsError.exitCode == 64)
    }
}
