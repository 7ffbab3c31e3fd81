package import CarillonConfig
import CarillonDomain
import CarillonHTTP
import CarillonMetrics
import CarillonRealtime
import CarillonRedis
import CarillonStore
import CarillonWorkers
import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// The server program: puts the pod together, runs it until a signal, and takes it apart in order.
package enum CarillonServer {
    /// Runs a pod.
    ///
    /// - Returns: The exit code: 0 after a signal, 1 where the pod cannot start or has lost its name.
    package static func run(_ settings: Settings) async -> Int32 {
        Allocator.giveBackLargeBlocks()
        settings.log.bootstrap()
        let logger = Logger(label: "carillon")
        do {
            let redis = settings.startsRedis ? try await DevRedis.startIfNeeded(settings.redis, say: say) : nil
            defer { withExtendedLifetime(redis) {} }
            let outcome = await result { try await serve(settings, redis, logger) }
            await redis?.stop()
            try outcome.get()
            return 0
        } catch {
            write("carillon-server: \(error)\n", to: STDERR_FILENO)
            return 1
        }
    }

    private static func result(_ body: () async throws -> Void) async -> Result<Void, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    private static func serve(_ settings: Settings, _ redis: DevRedis?, _ logger: Logger) async throws {
        let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let metrics = Metrics(eventTypes: settings.eventTypes, podID: settings.podID)
        let runID = String(UInt64.random(in: 0...(.max)), radix: 36)
        let pod = try await eventLoop.submit {
            PodHandle(Pod(settings, runID: runID, metrics: metrics, eventLoop: eventLoop, logger: logger))
        }.get()
        let storeSettings = StoreSettings(settings, runID: runID)
        let client = await pod.run { RedisClient($0.commands) }
        let server = httpServer(settings, pod, client, storeSettings, metrics, logger)
        await pod.run { $0.start() }

        let registry = PodRegistry(redis: client, settings: storeSettings)
        let context = WorkerContext(metrics: metrics, logger: logger)
        // In the order of their start; they stop one by one in reverse. The heartbeat goes on while sockets are drained, or the
        // other pods would take this one for dead.
        var services: [any Service] = [
            RedisService(pod: pod),
            Heartbeat(
                interval: settings.workers.heartbeatInterval,
                registry: registry,
                listener: pod,
                context: context
            ),
            InterPodRouter(pod: pod),
            HubService(pod: pod),
            RedisAdvisor(redis: client, logger: logger),
            MemoryKeeper(),
        ]
        services += workers(settings, pod, client, storeSettings, context)
        services.append(
            ListeningService(server: server, pod: pod, drain: settings.drain) { port in
                if settings.startsRedis { Banner(settings: settings, port: port, redis: redis).lines.forEach(say) }
            }
        )
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(14)
        configuration.maximumCancellationDuration = .seconds(3)
        try await ServiceGroup(configuration: configuration).run()
    }

    private static func httpServer(
        _ settings: Settings,
        _ pod: PodHandle,
        _ redis: RedisClient,
        _ storeSettings: StoreSettings,
        _ metrics: Metrics,
        _ logger: Logger
    ) -> HTTPServer {
        var configuration = HTTPConfiguration(
            address: ListenAddress(host: settings.listen.host, port: settings.listen.port),
            bodyLimitBytes: settings.notifyLimits.bodyBytes
        )
        configuration.webFolder = settings.webFolder
        configuration.allowedOrigins = settings.allowedOrigins
        configuration.userIDs = settings.notifyLimits.userIDs
        configuration.drainTimeout = .seconds(1)
        // With a Redis of its own a pod is alone, and no load balancer could send anybody elsewhere.
        configuration.noticeTime = settings.startsRedis ? .zero : settings.drain
        let reader = InboxReader(redis: redis, settings: storeSettings)
        let registry = PodRegistry(redis: redis, settings: storeSettings)
        return HTTPServer(
            configuration: configuration,
            eventLoop: pod.eventLoop,
            routes: RouteServices(
                admin: AdminAdapter(pod: pod, store: AdminStore(reader), registry: registry),
                inbox: InboxAdapter(
                    pod: pod,
                    reader: reader,
                    writer: InboxWriter(redis: redis, settings: storeSettings)
                ),
                health: HealthAdapter(pod: pod, podID: settings.podID),
                metrics: MetricsAdapter(pod: pod, metrics: metrics, registry: registry)
            ),
            observer: RequestCounter(metrics: metrics),
            logger: logger
        ) { pod.loopServices() }
    }

    /// The workers that clean, each a service of its own.
    private static func workers(
        _ settings: Settings,
        _ pod: PodHandle,
        _ redis: RedisClient,
        _ storeSettings: StoreSettings,
        _ context: WorkerContext
    ) -> [any Service] {
        let keeper = UserKeeper(redis: redis, settings: storeSettings, metrics: context.metrics)
        let queues = UserQueues(redis: redis, settings: storeSettings)
        let intervals = settings.workers
        return [
            TTLJanitor(
                interval: intervals.ttlJanitorInterval,
                keeper: keeper,
                queues: queues,
                listener: pod,
                context: context
            ),
            RetentionTrimmer(
                interval: intervals.retentionTrimInterval,
                keeper: keeper,
                queues: queues,
                listener: pod,
                context: context
            ),
            SnoozeWaker(writer: InboxWriter(redis: redis, settings: storeSettings), listener: pod, context: context),
            GroupMaintenance(
                interval: intervals.groupMaintenanceInterval,
                streamsPerSecond: intervals.sweepStreamsPerSecond,
                keeper: keeper,
                queues: queues,
                listener: pod,
                context: context
            ),
        ]
    }

    @Sendable
    private static func say(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in _ = Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }
}

extension PodHandle {
    /// What connections reach without a hop.
    ///
    /// - Isolation: the event loop
    func loopServices() -> HTTPServer.LoopServices {
        let pod = loopValue
        return HTTPServer.LoopServices(
            notify: NotifyAdapter(pod.notifier),
            upgrades: UpgradeAdapter(hub: pod.hub, sockets: pod.sockets)
        )
    }
}
