import CarillonConfig
import CarillonDomain
import CarillonHTTP
import CarillonMetrics
import CarillonRealtime
import CarillonRedis
import CarillonStore
import Logging
import NIOCore

/// Everything of a pod that lives on its event loop: the connections to Redis, the hub, the sockets.
///
/// One loop carries it all, so that between a post and a socket nothing is locked, handed over or awaited. A machine with more
/// cores runs more pods.
///
/// - Isolation: the event loop
final class Pod {
    let eventLoop: any EventLoop
    let settings: StoreSettings
    /// Nil where there are none.
    let sentinels: SentinelWatch?
    let commands: any Redis
    /// Nil where no replica has to confirm notifications.
    let writes: (any Redis)?
    let blocking: RedisConnection
    let store: InboxStore
    let pods = PodDirectory()
    let hub: Hub
    let notifier: Notifier
    let sockets: ConnectionGroup
    let busReader: BusReader
    private let presenceKeeper: PresenceKeeper
    private let upkeepInterval: TimeAmount
    private let redisEvents: RedisEvents
    private let socketEvents: SocketEvents
    private var timers: [RepeatedTask] = []
    private var routerTimer: RepeatedTask?
    private(set) var health = RedisHealth()
    /// When the last socket will have been told to go; nil unless the pod is stopping.
    private var stopsAt: ContinuousClock.Instant?

    /// How often Redis is told who was notified and who is connected.
    private static let activityInterval = TimeAmount.milliseconds(50)
    /// How often the pod says something to itself over its bus, and looks how late its own timers are.
    private static let probeInterval = TimeAmount.seconds(1)

    /// A timer that is later than this means that the process slept.
    private static let sleptAfter = TimeAmount.seconds(5)

    init(_ settings: Settings, runID: String, metrics: Metrics, eventLoop: any EventLoop, logger: Logger) {
        eventLoop.assertInEventLoop()
        self.eventLoop = eventLoop
        self.settings = StoreSettings(settings, runID: runID)
        redisEvents = RedisEvents(metrics: metrics)
        let servers = RedisServers(settings, observer: redisEvents, eventLoop: eventLoop, logger: logger)
        (sentinels, commands, writes, blocking) = (
            servers.sentinels, servers.commands, servers.writes, servers.blocking
        )
        store = InboxStore(redis: commands, writes: writes, settings: self.settings, metrics: metrics)
        hub = Hub(
            eventLoop: eventLoop,
            store: store,
            reader: InboxReader(redis: RedisClient(commands), settings: self.settings),
            writer: InboxWriter(redis: RedisClient(commands), settings: self.settings),
            pods: pods,
            userIDs: settings.notifyLimits.userIDs,
            metrics: metrics,
            logger: logger
        )
        notifier = Notifier(hub: hub, limits: settings.notifyLimits)
        socketEvents = SocketEvents(metrics: metrics)
        sockets = ConnectionGroup(
            eventLoop: eventLoop,
            settings: ConnectionSettings(settings.webSocket),
            observer: socketEvents
        )
        busReader = BusReader(connection: blocking, store: store, eventLoop: eventLoop, listener: hub)
        presenceKeeper = PresenceKeeper(hub: hub)
        upkeepInterval = TimeAmount(settings.workers.upkeepInterval)
        redisEvents.pod = self
        startLagTimer(metrics)
    }

    /// Connects to Redis and starts the timers; the rest follows when Redis answers.
    func start() {
        sentinels?.start()
        commands.start()
        writes?.start()
        blocking.start()
        presenceKeeper.start(interval: upkeepInterval)
        let pod = NIOLoopBound(self, eventLoop: eventLoop)
        every(Self.activityInterval) {
            pod.value.store.activity.flush()
            pod.value.store.connections.flush()
        }
    }

    /// The pod may have missed something: Redis can be used again, or the pod slept, or others took it for dead. It makes its bus
    /// and its presence anew and reads all its users again.
    func catchUp() {
        busReader.open()
        hub.catchUp()
    }

    /// Has the bus looked after: the pod says something to itself every second and must hear it.
    func startRouter() {
        let pod = NIOLoopBound(self, eventLoop: eventLoop)
        routerTimer = every(Self.probeInterval) {
            pod.value.busReader.probe()
            pod.value.hub.bus.repair()
        }
    }

    /// Hears nothing more.
    func stopRouter() {
        routerTimer?.cancel()
        busReader.close()
    }

    /// Takes no new sockets, fails `/ready`, and sends the devices away, spread over `duration`.
    func stop(over duration: Duration) {
        stopsAt = .now + duration
        hub.drain(over: TimeAmount(duration))
    }

    /// The pod serves, but will not for long.
    var isStopping: Bool { stopsAt != nil }

    /// When all devices will have been told to go.
    var allToldToGo: ContinuousClock.Instant { stopsAt ?? .now }

    /// Stops what would speak to Redis by itself, and takes back the pod's bus and its sign of life.
    func release() {
        presenceKeeper.stop()
        for timer in timers { timer.cancel() }
        hub.finishUpkeep()
        store.activity.flush()
        store.releasePod()
    }

    /// Closes the ways to Redis, once what was sent is answered.
    func closeConnections() -> EventLoopFuture<Void> {
        sentinels?.close()
        var closed = [blocking.close(immediately: true), commands.close(immediately: false)]
        if let writes { closed.append(writes.close(immediately: false)) }
        return .andAllComplete(closed, on: eventLoop)
    }

    /// Redis answers, and the pod hears what it says to itself.
    var isReady: Bool { store.isReady && health.isFresh && busReader.isHearing }

    /// Redis answered the heartbeat, or did not.
    func heartbeat(succeeded: Bool) { health.heartbeat(succeeded: succeeded) }

    @discardableResult
    private func every(_ interval: TimeAmount, _ body: @escaping @Sendable () -> Void) -> RepeatedTask {
        let timer = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in body() }
        timers.append(timer)
        return timer
    }

    private func startLagTimer(_ metrics: Metrics) {
        let pod = NIOLoopBound(self, eventLoop: eventLoop)
        let due = NIOLoopBoundBox(NIODeadline.now() + Self.probeInterval, eventLoop: eventLoop)
        every(Self.probeInterval) {
            let late = NIODeadline.now() - due.value
            if late > Self.sleptAfter { pod.value.catchUp() }
            metrics.eventLoopLag.observe(max(0, Double(late.nanoseconds) / 1e6))
            due.value = .now() + Self.probeInterval
        }
    }
}

@available(*, unavailable)
extension Pod: Sendable {}

/// Whether Redis has been usable lately, as the heartbeat sees it every second.
struct RedisHealth {
    private var lastSuccess: NIODeadline?

    /// A heartbeat that is older does not count.
    private static let freshFor = TimeAmount.seconds(3)

    mutating func heartbeat(succeeded: Bool) { lastSuccess = succeeded ? .now() : nil }

    var isFresh: Bool { lastSuccess.map { NIODeadline.now() - $0 < Self.freshFor } ?? false }
}

extension StoreSettings {
    init(_ settings: Settings, runID: String) {
        self.init(podID: settings.podID, runID: runID)
        notificationTTLSeconds = Int(settings.notifications.ttl.components.seconds)
        streamMaxLength = settings.notifications.streamMaxLength
        waitReplicas = settings.notifications.waitReplicas
        lockTTLSeconds = Int(settings.workers.lockTTL.components.seconds)
        busMaxLength = settings.workers.busMaxLength
    }
}

extension ConnectionSettings {
    init(_ settings: Settings.WebSocket) {
        self.init()
        pingInterval = TimeAmount(settings.pingInterval)
        outboxBytes = settings.outboxBytes
        messagesPerSecond = settings.messagesPerSecond
        messageBurst = settings.messagesPerSecond * 2
    }
}
