import CarillonDomain
import Testing

@testable import CarillonMetrics

@Suite("The text that /metrics answers")
struct ExpositionTests {
    /// Samples as `name{labels}` and value.
    private func samples(_ metrics: Metrics) -> [String: String] {
        var samples: [String: String] = [:]
        for line in metrics.exposition().split(separator: "\n") where !line.hasPrefix("#") {
            let space = line.lastIndex(of: " ")!
            let replaced = samples.updateValue(
                String(line[line.index(after: space)...]),
                forKey: String(line[..<space])
            )
            #expect(replaced == nil, "a series stands there twice: \(line)")
        }
        return samples
    }

    @Test func beginsWithTheContractsNames() {
        let metrics = Metrics(eventTypes: ["order"])
        metrics.notificationsSent.increment(by: 3)
        metrics.notificationsAcked.increment()
        metrics.websocketConnections.set(7)
        metrics.deliveryLatency.observe(0.3)
        metrics.deliveryLatency.observe(20_000)
        let golden = """
            # HELP notifications_sent_total Notifications stored in Redis, one per target.
            # TYPE notifications_sent_total counter
            notifications_sent_total 3
            # HELP notifications_acked_total Notifications that a device marked as read, each counted once.
            # TYPE notifications_acked_total counter
            notifications_acked_total 1
            # HELP notifications_auto_cleared_total Notifications whose payload expired unread and that were cleared.
            # TYPE notifications_auto_cleared_total counter
            notifications_auto_cleared_total 0
            # HELP websocket_connections Devices connected to this pod.
            # TYPE websocket_connections gauge
            websocket_connections 7
            # HELP delivery_latency_ms Milliseconds from the stream append in Redis to the write to a device's socket (clock skew counts as 0).
            # TYPE delivery_latency_ms histogram
            delivery_latency_ms_bucket{le="0.25"} 0
            delivery_latency_ms_bucket{le="0.5"} 1
            delivery_latency_ms_bucket{le="1"} 1
            delivery_latency_ms_bucket{le="2"} 1
            delivery_latency_ms_bucket{le="5"} 1
            delivery_latency_ms_bucket{le="10"} 1
            delivery_latency_ms_bucket{le="25"} 1
            delivery_latency_ms_bucket{le="50"} 1
            delivery_latency_ms_bucket{le="100"} 1
            delivery_latency_ms_bucket{le="250"} 1
            delivery_latency_ms_bucket{le="500"} 1
            delivery_latency_ms_bucket{le="1000"} 1
            delivery_latency_ms_bucket{le="2500"} 1
            delivery_latency_ms_bucket{le="5000"} 1
            delivery_latency_ms_bucket{le="10000"} 1
            delivery_latency_ms_bucket{le="60000"} 2
            delivery_latency_ms_bucket{le="+Inf"} 2
            delivery_latency_ms_sum 20000.3
            delivery_latency_ms_count 2
            # HELP notification_processing_time_seconds Seconds from the arrival of a notification at this pod to its confirmation by Redis, by event type.
            # TYPE notification_processing_time_seconds histogram
            notification_processing_time_seconds_bucket{event_type="order",le="0.001"} 0

            """
        #expect(metrics.exposition().hasPrefix(golden))
    }

    @Test func holdsEveryMetricOnce() {
        var names: [String] = []
        for child in Mirror(reflecting: Metrics()).children {
            if let family = child.value as? any MetricFamily { names.append(family.name) }
        }
        // `consumerLag` is the one series of its family.
        #expect(names.count(where: { $0 == "consumer_lag_messages" }) == 2)
        let text = Metrics().exposition()
        for name in Set(names) {
            #expect(text.split(separator: "\n").count(where: { $0.hasPrefix("# TYPE \(name) ") }) == 1, "\(name)")
        }
        #expect(Set(names).count == 36)
    }

    @Test func everyLineIsWellFormed() throws {
        let line = /[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? (\+Inf|[0-9.e+-]+)/
        for text in Metrics(eventTypes: ["a", "b"]).exposition().split(separator: "\n") where !text.hasPrefix("#") {
            #expect(text.wholeMatch(of: line) != nil, "\(text)")
        }
    }

    @Test func everyFamilyHasAHelpLineThatIsASentence() {
        let lines = Metrics().exposition().split(separator: "\n")
        let helps = lines.filter { $0.hasPrefix("# HELP ") }
        #expect(helps.count == lines.count(where: { $0.hasPrefix("# TYPE ") }))
        for help in helps { #expect(help.hasSuffix(".") && help.split(separator: " ").count > 5, "\(help)") }
    }

    @Test func eventTypesOutsideTheListAreOther() {
        let metrics = Metrics(eventTypes: ["order", "other", "order", "mail"])
        metrics.processingTime(eventType: "order").observe(0.001)
        for type in [nil, "", "orde", "orders", "other"] { metrics.processingTime(eventType: type).observe(0.001) }
        let bytes = Array("mail".utf8)
        bytes.withUnsafeBytes { metrics.processingTime(eventType: $0).observe(0.001) }
        let samples = samples(metrics)
        #expect(samples["notification_processing_time_seconds_count{event_type=\"order\"}"] == "1")
        #expect(samples["notification_processing_time_seconds_count{event_type=\"mail\"}"] == "1")
        #expect(samples["notification_processing_time_seconds_count{event_type=\"other\"}"] == "5")
    }

    @Test(arguments: [
        (99, "5xx"), (100, "1xx"), (199, "1xx"), (202, "2xx"), (304, "3xx"), (499, "4xx"), (599, "5xx"), (600, "5xx"),
    ])
    func statusesCountByClass(status: Int, label: String) {
        let metrics = Metrics()
        metrics.httpRequests(.notify, status: status).increment()
        #expect(samples(metrics)["carillon_http_requests_total{path=\"/api/v1/notify\",status=\"\(label)\"}"] == "1")
    }

    @Test(arguments: HTTPRoute.allCases)
    func routesCountUnderTheirPath(route: HTTPRoute) {
        let metrics = Metrics()
        metrics.httpRequests(route, status: 200).increment()
        #expect(samples(metrics)["carillon_http_requests_total{path=\"\(route.label)\",status=\"2xx\"}"] == "1")
        #expect(HTTPRoute(path: route.label) == route)
        // Of what lies below a route's path any part may be an id.
        if route != .notification { #expect(HTTPRoute(path: route.label + "x") == .other) }
    }

    @Test func whatLiesBelowAnInboxCountsAsOne() {
        for path in ["/api/v1/notifications/7/read", "/api/notifications", "/api/notifications/count"] {
            #expect(HTTPRoute(path: path) == .inbox)
        }
    }

    @Test(arguments: WorkerName.allCases)
    func workersCountUnderTheirName(worker: WorkerName) {
        let metrics = Metrics()
        metrics.worker(worker).runs.increment(by: 3)
        metrics.worker(worker).errors.increment(by: 2)
        metrics.worker(worker).items.increment(by: 9)
        let samples = samples(metrics)
        #expect(samples["carillon_worker_runs_total{worker=\"\(worker.label)\"}"] == "3")
        #expect(samples["carillon_worker_errors_total{worker=\"\(worker.label)\"}"] == "2")
        #expect(samples["carillon_worker_items_total{worker=\"\(worker.label)\"}"] == "9")
    }

    @Test func consumerLagNamesItsTopic() {
        let metrics = Metrics()
        metrics.consumerLag.set(12)
        #expect(samples(metrics)["consumer_lag_messages{topic=\"notifications\"}"] == "12")
    }

    @Test func tellsAboutTheProcess() throws {
        let samples = samples(Metrics(podID: "pod-1", version: "1.2.3\"x"))
        #expect(samples["carillon_build_info{version=\"1.2.3\\\"x\",pod=\"pod-1\"}"] == "1")
        func number(_ name: String) throws -> Double { try #require(samples[name].flatMap { Double($0) }) }
        #expect(try number("process_cpu_seconds_total") > 0)
        #expect(try number("process_resident_memory_bytes") > 1_000_000)
        #expect(try number("process_open_fds") >= 3)
        #expect(try number("process_max_fds") >= number("process_open_fds"))
        // After 2020 and not in the future.
        let start = try number("process_start_time_seconds")
        #expect(start > 1_577_836_800)
    }
}
