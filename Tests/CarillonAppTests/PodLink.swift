import CarillonConfig
import CarillonDomain
import CarillonMetrics
import CarillonRealtime
import CarillonRedis
import CarillonStore
import CarillonTestSupport
import CarillonWorkers
import Logging
import NIOCore
import NIOPosix

@testable import CarillonApp

/// A pod of this process without its port: what async callers reach through a `PodHandle`.
struct PodLink {
    let pod: PodHandle
    let redis: RedisProcess
    let metrics: Metrics

    /// Runs `body` with so many pods on a Redis of their own that know of one another.
    static func with(_ count: Int = 1, _ body: ([PodLink]) async throws -> Void) async throws {
        let redis = try await RedisProcess.start()
        do {
            try await withThrowingTaskGroup { group in
                var links: [PodLink] = []
                for number in 0..<count {
                    let link = try await start("pod-\(number)", redis)
                    group.addTask { try? await link.heartbeat().run() }
                    links.append(link)
                }
                for link in links {
                    try await wait(until: "the pods know of one another", within: .seconds(60)) {
                        await link.pod.run { $0.pods.others.count == count - 1 && $0.busReader.isHearing }
                    }
                }
                try await body(links)
                group.cancelAll()
                for link in links { try await link.stop() }
            }
            await redis.stop()
        } catch {
            await redis.stop()
            throw error
        }
    }

    private static func start(_ podID: String, _ redis: RedisProcess) async throws -> PodLink {
        let environment = ["REDIS_ADDR": "127.0.0.1:\(redis.port)", "POD_ID": podID, "HEARTBEAT_INTERVAL": "100ms"]
        let settings = try Settings.load(arguments: ["x"], environment: environment)
        let metrics = Metrics()
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let pod = try await eventLoop.submit {
            PodHandle(Pod(settings, runID: podID, metrics: metrics, eventLoop: eventLoop, logger: logger))
        }.get()
        await pod.run {
            $0.start()
            $0.startRouter()
        }
        return PodLink(pod: pod, redis: redis, metrics: metrics)
    }

    private func heartbeat() async -> Heartbeat {
        let (client, settings) = await pod.run { (RedisClient($0.commands), $0.settings) }
        return Heartbeat(
            interval: .milliseconds(100),
            registry: PodRegistry(redis: client, settings: settings),
            listener: pod,
            context: WorkerContext(metrics: metrics, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        )
    }

    private func stop() async throws {
        await pod.run { pod in
            pod.stopRouter()
            pod.release()
        }
        try await pod.run { $0.closeConnections() }.get()
    }

    /// Posts a notification to this pod.
    func notify(_ user: User, message: String = "hello") async throws {
        let body = "{\"target\":[{\"id\":\(user.key.idPart),\"login\":\"\(user.login)\"}],\"message\":\"\(message)\"}"
        let promise = pod.eventLoop.makePromise(of: Bool.self)
        pod.eventLoop.execute {
            pod.loopValue.notifier.notify(ByteBuffer(string: body), idempotencyKey: nil) { outcome in
                if case .accepted = outcome { promise.succeed(true) } else { promise.succeed(false) }
            }
        }
        guard try await promise.futureResult.get() else { throw WireError.unexpected("a notification was refused") }
    }

    /// How many entries the user's stream holds, by a command that leaves behind what the pod has sent before.
    func entries(of user: User) async throws -> Int {
        let client = await pod.run { RedisClient($0.commands) }
        let reply = try await client.call("XLEN", .key(RedisKey("stream:user:", user.key.text)))
        return Int(reply.integer ?? 0)
    }

    /// A command by somebody else.
    @discardableResult
    func redis(_ arguments: String...) async throws -> WireReply {
        try await WireRedis(port: redis.port)(arguments)
    }
}
