import CarillonHTTP
import CarillonRealtime
import CarillonRedis
import NIOCore
import ServiceLifecycle

// Services start together and stop one after the other, the last one first: no new requests, then no workers, then no sockets,
// then no Redis. The sockets begin to go while the port is still open, so that the whole takes the drain time once. A service that
// is cancelled instead (another one failed) ends at once and releases nothing: the pod's name may belong to another process by then.

/// The connections to Redis: the last to go, after the pod has taken back what it said of itself.
struct RedisService: Service {
    let pod: PodHandle

    func run() async throws {
        try await gracefulShutdown()
        await pod.run { $0.release() }
        let closed = await pod.run { pod in
            pod.closeConnections()
        }
        try await closed.get()
    }
}

/// The inter-pod router: hears on this pod's bus what others say, and notices when it has gone deaf.
struct InterPodRouter: Service {
    let pod: PodHandle

    func run() async throws {
        await pod.run { $0.startRouter() }
        try await gracefulShutdown()
        await pod.run { $0.stopRouter() }
    }
}

/// The sockets: each was told to go, over the drain time, when the shutdown began; with a user's last one go lock and presence.
struct HubService: Service {
    let pod: PodHandle

    /// How long devices that do not answer the close frame are waited for.
    private static let patience = Duration.milliseconds(2_500)

    func run() async throws {
        try await gracefulShutdown()
        let deadline = await pod.run { $0.allToldToGo } + Self.patience
        while ContinuousClock.now < deadline, await pod.run({ !$0.hub.isEmpty }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        await pod.run { $0.sockets.stop() }
    }
}

/// The port: opened once the pod can deliver, or after a short wait where Redis is away, so that whoever waits for the port does
/// not run into a 503 of the first moment. On shutdown `/ready` fails at once, and the port stays open until load balancers
/// must have seen it.
struct ListeningService: Service {
    let server: HTTPServer
    let pod: PodHandle
    /// Over which the sockets are closed.
    let drain: Duration
    /// Hears the port once it is open.
    let opened: @Sendable (Int) -> Void

    private static let patience = Duration.seconds(2)

    func run() async throws {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline, await pod.run({ !$0.isReady }) {
            try await Task.sleep(for: .milliseconds(5))
        }
        opened(try await server.bind())
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: { [pod, drain] in
            pod.eventLoop.execute { pod.loopValue.stop(over: drain) }
        }
    }
}
