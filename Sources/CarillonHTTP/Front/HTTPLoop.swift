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
    let logger: Logger
    let connections = ConnectionTable()
    var answers: RawAnswers
    /// Seconds since the server started, the unit of all timeouts here.
    private(set) var tick = 0
    /// Every answer from now on ends its connection.
    var isDraining = false
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

    /// Closes what is idle, lets the rest finish, and calls back when the last connection is gone.
    func drain(whenEmpty: @escaping () -> Void) {
        isDraining = true
        connections.forEach { $0.drain() }
        connections.notifyWhenEmpty(whenEmpty)
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
