/// What `/health` and `/ready` ask.
package protocol HealthService: Sendable {
    /// Whether Redis is usable, and whatever else this pod depends on.
    func health() async -> HealthReport
    /// Whether delivery works, found out by doing it.
    func ready() async -> HealthReport
}

/// The answer of `/health` and `/ready`: 200 where `healthy`, else 503.
package struct HealthReport: Sendable {
    package struct Component: Sendable {
        package let name: String
        package let healthy: Bool
        /// What is wrong, or worth knowing, in one sentence.
        package let detail: String?

        package init(name: String, healthy: Bool, detail: String? = nil) {
            self.name = name
            self.healthy = healthy
            self.detail = detail
        }
    }

    package let healthy: Bool
    package let podID: String
    package let version: String
    package let components: [Component]

    package init(healthy: Bool, podID: String, version: String, components: [Component]) {
        self.healthy = healthy
        self.podID = podID
        self.version = version
        self.components = components
    }
}

/// What `/metrics` asks.
package protocol MetricsSource: Sendable {
    /// - Returns: Prometheus text format 0.0.4.
    func exposition() async -> String
}
