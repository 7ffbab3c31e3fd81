import CarillonDomain

/// Every metric of a pod, made once; each one's help line is its documentation.
///
/// - Isolation: any thread
package final class Metrics: Sendable {
    // MARK: The contract's names

    package let notificationsSent = Counter(
        "notifications_sent_total",
        "Notifications stored in Redis, one per target."
    )
    package let notificationsAcked = Counter(
        "notifications_acked_total",
        "Notifications that a device marked as read, each counted once."
    )
    package let notificationsAutoCleared = Counter(
        "notifications_auto_cleared_total",
        "Notifications whose payload expired unread and that were cleared."
    )
    package let websocketConnections = Gauge("websocket_connections", "Devices connected to this pod.")
    package let deliveryLatency = Histogram(
        "delivery_latency_ms",
        "Milliseconds from the stream append in Redis to the write to a device's socket (clock skew counts as 0).",
        bounds: latencyBounds
    )
    package let consumerLag: Gauge
    private let consumerLagFamily: LabelledFamily<Gauge>
    private let processingTimes: LabelledFamily<Histogram>
    private let eventTypes: [[UInt8]]

    // MARK: Redis

    package let redisCommands = Counter("carillon_redis_commands_total", "Commands sent to Redis.")
    package let redisErrors = Counter(
        "carillon_redis_errors_total",
        "Commands that Redis refused or that got no answer in time."
    )
    package let redisReconnects = Counter(
        "carillon_redis_reconnects_total",
        "Times that a lost connection to Redis was set up again."
    )
    package let redisUp = Gauge("carillon_redis_up", "1 while Redis answers this pod, else 0.")
    package let redisRoundTrip = Histogram(
        "carillon_redis_round_trip_ms",
        "Milliseconds from writing a batch of commands to Redis to its last reply.",
        bounds: latencyBounds
    )

    // MARK: Delivery between pods

    package let busEntriesSent = Counter(
        "carillon_bus_entries_sent_total",
        "Entries appended to the bus streams of other pods."
    )
    package let busEntriesReceived = Counter(
        "carillon_bus_entries_received_total",
        "Entries read from this pod's bus stream."
    )
    package let busGaps = Counter(
        "carillon_bus_gaps_total",
        "Numbers missing in a sender's bus entries; each makes this pod read its users' streams again."
    )
    package let busDepth = Gauge("carillon_bus_depth", "Entries in this pod's bus stream that it has not read yet.")
    package let takeovers = Counter("carillon_takeovers_total", "Locks taken over from dead pods.")
    package let presenceRestored = Counter(
        "carillon_presence_restored_total",
        "Times that a user's presence was missing in Redis and this pod wrote it again."
    )
    package let gapsFound = Counter(
        "carillon_gaps_found_total",
        "Times that a hint did not follow the last pushed entry, so that the stream was read."
    )
    package let gapsFilled = Counter("carillon_gaps_filled_total", "Entries that were read again to fill gaps.")
    package let duplicatesSuppressed = Counter(
        "carillon_duplicates_suppressed_total",
        "Hints dropped because their entry had been pushed already."
    )
    package let unreadTrimmed = Counter(
        "carillon_unread_trimmed_total",
        "Unread notifications that were lost to STREAM_MAXLEN newer ones of their user."
    )

    // MARK: Devices

    package let slowConsumerCloses = Counter(
        "carillon_slow_consumer_closes_total",
        "Devices closed with 1013 because they did not take their frames."
    )
    package let resyncCloses = Counter(
        "carillon_resync_closes_total",
        "Devices closed with 1012 because Redis took stream ids back."
    )
    package let floodCloses = Counter(
        "carillon_flood_closes_total",
        "Devices closed with 4429 because they kept sending too fast."
    )
    package let pingTimeoutCloses = Counter(
        "carillon_ping_timeout_closes_total",
        "Devices closed because they answered neither of two pings."
    )
    package let replayEntries = Counter(
        "carillon_replay_entries_total",
        "Notifications that were pushed from the stream to devices that had just connected."
    )
    package let eventStreams = Gauge("carillon_event_streams", "Devices that listen to server-sent events.")
    package let localUsers = Gauge(
        "carillon_local_users",
        "Users with a device, or a request that waits for news, on this pod."
    )

    // MARK: HTTP

    private let httpRequestFamily = LabelledFamily(
        "carillon_http_requests_total",
        "HTTP requests answered, by route and class of status.",
        keys: ["path", "status"],
        values: HTTPRoute.allCases.flatMap { route in statusClasses.map { [route.label, $0] } },
        make: Counter.init
    )
    package let notifyTargets = Counter(
        "carillon_notify_targets_total",
        "Targets named by valid notify requests, stored or not."
    )
    package let idempotentReplays = Counter(
        "carillon_idempotent_replays_total",
        "Notify requests answered from their Idempotency-Key without storing anything."
    )

    // MARK: Workers and process

    private let workerRuns = workerFamily("carillon_worker_runs_total", "Rounds of a worker that have ended.")
    private let workerErrors = workerFamily(
        "carillon_worker_errors_total",
        "Rounds of a worker that failed, and users that a round had to pass over."
    )
    private let workerItems = workerFamily(
        "carillon_worker_items_total",
        "Entries, users or keys that a worker changed."
    )
    package let eventLoopLag = Histogram(
        "carillon_event_loop_lag_ms",
        "Milliseconds that a timer of the event loop fired late: how long work waits for the loop.",
        bounds: latencyBounds
    )
    private let buildLabels: String

    /// - Parameters:
    ///   - eventTypes: `EVENT_TYPES`: values of the label `event_type`; all others are counted as `other`.
    ///   - podID, version: What `carillon_build_info` says.
    package init(eventTypes: [String] = [], podID: String = "", version: String = CarillonVersion.text) {
        var types: [String] = []
        for type in eventTypes where type != "other" && !types.contains(type) { types.append(type) }
        self.eventTypes = types.map { Array($0.utf8) }
        let labels = [("version", version), ("pod", podID)]
        buildLabels = labels.map { "\($0)=\"\(ExpositionText.escapedLabel($1))\"" }.joined(separator: ",")
        processingTimes = LabelledFamily(
            "notification_processing_time_seconds",
            "Seconds from the arrival of a notification at this pod to its confirmation by Redis, by event type.",
            keys: ["event_type"],
            values: (types + ["other"]).map { [$0] },
            make: { Histogram($0, $1, bounds: Self.processingBounds) }
        )
        consumerLagFamily = LabelledFamily(
            "consumer_lag_messages",
            "Users whose consumer groups wait for the next batch of upkeep on this pod.",
            keys: ["topic"],
            values: [["notifications"]],
            make: Gauge.init
        )
        consumerLag = consumerLagFamily.series[0]
    }

    /// The histogram of an event type, in seconds.
    ///
    /// - Cost: compares with each configured type; allocates nothing
    /// - Parameter eventType: UTF-8; a type that is not configured, or none, is `other`.
    package func processingTime(eventType: UnsafeRawBufferPointer) -> Histogram {
        let index = eventTypes.firstIndex { $0.count == eventType.count && eventType.elementsEqual($0) }
        return processingTimes.series[index ?? eventTypes.count]
    }

    package func processingTime(eventType: String?) -> Histogram {
        guard var eventType else { return processingTimes.series[eventTypes.count] }
        return eventType.withUTF8 { processingTime(eventType: UnsafeRawBufferPointer($0)) }
    }

    /// The counter of answers to `route` with a status of this class; a status outside 100..599 counts as 5xx.
    package func httpRequests(_ route: HTTPRoute, status: Int) -> Counter {
        let statusClass = (1...5).contains(status / 100) ? status / 100 - 1 : 4
        return httpRequestFamily.series[route.rawValue * Self.statusClasses.count + statusClass]
    }

    package func worker(_ name: WorkerName) -> WorkerMetrics {
        WorkerMetrics(
            runs: workerRuns.series[name.rawValue],
            errors: workerErrors.series[name.rawValue],
            items: workerItems.series[name.rawValue]
        )
    }

    /// All metrics in the Prometheus text format, content type `text/plain; version=0.0.4; charset=utf-8`.
    ///
    /// - Cost: some 300 lines, and reads of `/proc/self`: call it for scrapes only
    /// - Parameter redisCPUSeconds: What Redis says that it has used; nil where it does not say.
    package func exposition(redisCPUSeconds: Double? = nil) -> String {
        var text = ExpositionText()
        for family in families { text.family(family) }
        ProcessStatistics.current().write(into: &text)
        if let redisCPUSeconds {
            let help = "User and system CPU seconds of the redis-server."
            text.header("carillon_redis_cpu_seconds_total", kind: "counter", help: help)
            text.sample("carillon_redis_cpu_seconds_total", labels: "", "\(redisCPUSeconds)")
        }
        text.header(
            "carillon_build_info",
            kind: "gauge",
            help: "Always 1; the labels name the running version and the pod."
        )
        text.sample("carillon_build_info", labels: buildLabels, "1")
        return text.text
    }

    private var families: [any MetricFamily] {
        [
            notificationsSent, notificationsAcked, notificationsAutoCleared, websocketConnections, deliveryLatency,
            processingTimes, consumerLagFamily,
            redisCommands, redisErrors, redisReconnects, redisUp, redisRoundTrip,
            busEntriesSent, busEntriesReceived, busGaps, busDepth, takeovers, presenceRestored, gapsFound, gapsFilled,
            duplicatesSuppressed, unreadTrimmed,
            slowConsumerCloses, resyncCloses, floodCloses, pingTimeoutCloses, replayEntries, eventStreams, localUsers,
            httpRequestFamily, notifyTargets, idempotentReplays,
            workerRuns, workerErrors, workerItems, eventLoopLag,
        ]
    }

    private static let statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"]
    private static let latencyBounds: [Double] = [
        0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000,
    ]
    /// The customary buckets and two finer ones, as a notification is usually stored within 5 ms.
    private static let processingBounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    private static func workerFamily(_ name: String, _ help: String) -> LabelledFamily<Counter> {
        LabelledFamily(
            name,
            help,
            keys: ["worker"],
            values: WorkerName.allCases.map { [$0.label] },
            make: Counter.init
        )
    }
}
