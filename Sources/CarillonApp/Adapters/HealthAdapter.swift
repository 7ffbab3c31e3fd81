import CarillonDomain
import CarillonHTTP
import CarillonMetrics
import CarillonRealtime
import CarillonRedis
import CarillonStore

/// What this pod says of its own health.
struct HealthAdapter: HealthService {
    let pod: PodHandle
    let podID: String

    /// Healthy while Redis can be used.
    func health() async -> HealthReport {
        let redis = await pod.run { Self.redis($0) }
        return report([redis])
    }

    /// Ready while delivery works: Redis answers, and what the pod says to itself through its bus stream comes back. A pod that
    /// is stopping works and is not ready.
    func ready() async -> HealthReport {
        let components = await pod.run { pod in
            [
                HealthReport.Component(
                    name: "pod",
                    healthy: !pod.isStopping,
                    detail: pod.isStopping ? "the pod is stopping" : nil
                ),
                Self.redis(pod),
                HealthReport.Component(
                    name: "bus",
                    healthy: pod.busReader.isHearing,
                    detail: pod.busReader.isHearing ? nil : "the pod does not hear its own bus"
                ),
            ]
        }
        return report(components)
    }

    private static func redis(_ pod: Pod) -> HealthReport.Component {
        let isUsable = pod.store.isReady && pod.health.isFresh
        return HealthReport.Component(
            name: "redis",
            healthy: isUsable,
            detail: isUsable ? nil : pod.commands.lastFailure.map { "\($0)" } ?? "Redis does not answer"
        )
    }

    private func report(_ components: [HealthReport.Component]) -> HealthReport {
        HealthReport(
            healthy: components.allSatisfy(\.healthy),
            podID: podID,
            version: CarillonVersion.text,
            components: components
        )
    }
}

/// The exposition, with the gauges that are only worth a look when somebody looks.
struct MetricsAdapter: MetricsSource {
    let pod: PodHandle
    let metrics: Metrics
    let registry: PodRegistry

    func exposition() async -> String {
        let position = await pod.run { pod in
            metrics.consumerLag.set(pod.hub.waitingForUpkeep)
            return pod.busReader.position
        }
        if let depth = try? await registry.busDepth(after: position) { metrics.busDepth.set(depth) }
        return metrics.exposition(redisCPUSeconds: await registry.redisCPUSeconds())
    }
}
