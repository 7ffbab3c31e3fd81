import CarillonDomain
import Logging
import NIOCore

/// What all connections of the event loop share: the services behind them, the clock, and the answers' raw bytes.
///
/// - Isolation: event loop of the server
final class HTTPLoop {
    let eventLoop: any EventLoop
    let notify: any NotifyService
    let upgrades: any UpgradeTarget
    let requests: RequestRunner
    let observer: any HTTPObserver
    let configuration: HTTPConfiguration
    let crossOrigin: CrossOrigin?
    let logger: Logger
    let connections = ConnectionTable()
    var answers: RawAnswers
    /// Seconds since the server started, the unit of all timeouts here.
    private(set) var tick = 0
    /// Every answer from now on ends its connection.
    private(set) var isDraining = false
    /// Bytes of answers that wait for their clients, those of all connections together.
    var unreadBytes = 0
    private var timer: RepeatedTask?

    init(
        eventLoop: any EventLoop,
        notify: any NotifyService,
        upgrades: any UpgradeTarget,
        requests: RequestRunner,
        observer: any HTTPObserver,
        configuration: HTTPConfiguration,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.notify = notify
        self.upgrades = upgrades
        self.requests = requests
        self.observer = observer
        self.configuration = configuration
        crossOrigin = configuration.crossOrigin
        self.logger = logger
        answers = RawAnswers(now: .now())
    }

    func startTimer() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.secondPassed()
        }
    }

    func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    /// Has every answer end its connection, and calls back when whoever looks has had `time` to notice; sooner where nobody has
    /// been connected for a while, so that a pod without clients does not linger.
    func announceEnd(noticeTime: TimeAmount, then completion: @escaping @Sendable () -> Void) {
        isDraining = true
        let end = NIODeadline.now() + noticeTime
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let quiet = NIOLoopBoundBox((since: NIODeadline.now(), arrivals: connections.arrivals), eventLoop: eventLoop)
        eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.noticeStep) { task in
            let (now, connections) = (NIODeadline.now(), bound.value.connections)
            if connections.count > 0 || connections.arrivals != quiet.value.arrivals {
                quiet.value = (now, connections.arrivals)
            }
            guard now >= end || now - quiet.value.since >= Self.quietTime else { return }
            task.cancel()
            completion()
        }
    }

    private static let noticeStep = TimeAmount.milliseconds(50)
    private static let quietTime = TimeAmount.seconds(1)

    /// Closes what is idle, lets the rest finish, and calls back when the last connection is gone.
    func drain(whenEmpty: @escaping () -> Void) {
        isDraining = true
        connections.forEach { $0.drain() }
        connections.notifyWhenEmpty(whenEmpty)
    }

    /// Cuts the connections whose clients have taken nothing for longest, until the answers that wait are bearable again.
    ///
    /// - Parameter newest: Is spared: its answer may be longer than all that may wait.
    func makeRoom(for newest: any TimedConnection) {
        guard unreadBytes > configuration.unreadLimitBytes else { return }
        var waiting: [any TimedConnection] = []
        connections.forEach { if $0.unreadBytes > 0, $0 !== newest { waiting.append($0) } }
        for connection in waiting.sorted(by: { $0.activeTick < $1.activeTick }) {
            guard unreadBytes > configuration.unreadLimitBytes else { return }
            connection.abort()
        }
    }

    private func secondPassed() {
        tick += 1
        answers.setDate(.now())
        let tick = tick
        connections.forEach { $0.ticked(tick) }
    }
}

@available(*, unavailable)
extension HTTPLoop: Sendable {}
