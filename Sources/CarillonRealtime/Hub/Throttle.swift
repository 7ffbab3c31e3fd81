import NIOCore

/// Runs an action at once, but never twice within an interval: calls in between come to one run at its end.
///
/// - Isolation: the event loop
final class Throttle {
    private let eventLoop: any EventLoop
    private let interval: TimeAmount
    private let action: () -> Void
    private var isScheduled = false
    private var mayRunAt = NIODeadline.uptimeNanoseconds(0)

    init(_ eventLoop: any EventLoop, interval: TimeAmount, action: @escaping () -> Void) {
        self.eventLoop = eventLoop
        self.interval = interval
        self.action = action
    }

    func call() {
        guard !isScheduled else { return }
        let now = eventLoop.now
        guard now < mayRunAt else { return run(now) }
        isScheduled = true
        eventLoop.assumeIsolated().scheduleTask(deadline: mayRunAt) { [self] in
            isScheduled = false
            run(eventLoop.now)
        }
    }

    private func run(_ now: NIODeadline) {
        mayRunAt = now + interval
        action()
    }
}

@available(*, unavailable)
extension Throttle: Sendable {}
