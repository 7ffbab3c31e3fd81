import CarillonRealtime
import CarillonRedis
import NIOCore
import ServiceLifecycle

/// The connections to Redis: the first to start and the last to go.
struct RedisService: Service {
    let pod: PodHandle

    func run() async throws {
        await pod.run { $0.start() }
        try? await gracefulShutdown()
        let closed = await pod.run { pod in
            pod.blocking.close().and(pod.commands.close()).map { _ in }
        }
        try await closed.get()
    }
}

/// The sockets: on shutdown each is closed with 1001, spread over the drain time, and what the pod held in Redis is released.
struct HubService: Service {
    let pod: PodHandle
    let drain: Duration

    /// How long devices that do not answer the close frame are waited for.
    private static let patience = Duration.seconds(3)

    func run() async throws {
        try? await gracefulShutdown()
        await pod.run { [drain] in $0.hub.drain(over: TimeAmount(drain)) }
        let deadline = ContinuousClock.now + drain + Self.patience
        while ContinuousClock.now < deadline, await pod.run({ !$0.hub.isEmpty }) {
            try? await Task.sleep(for: .milliseconds(10))
        }
        await pod.run { pod in
            pod.sockets.stop()
            pod.release()
        }
    }
}
