import NIOCore

/// How far a device is ahead of its rate: a token bucket kept as one moment, that at which all it has sent will have
/// been paid for.
///
/// - Source: ITU-T I.371, generic cell rate algorithm
struct WebSocketRateLimiter {
    private var paidAt = NIODeadline.uptimeNanoseconds(0)

    mutating func charge(frames: Int, at now: NIODeadline, _ settings: ConnectionSettings) {
        paidAt = max(paidAt, now) + .nanoseconds(Int64(frames) * Self.price(settings))
    }

    /// More than a burst is owed.
    func isOver(at now: NIODeadline, _ settings: ConnectionSettings) -> Bool {
        owes(at: now, moreThan: Int64(settings.messageBurst), settings)
    }

    /// When no more than a burst will be owed.
    func paidOff(_ settings: ConnectionSettings) -> NIODeadline {
        paidAt - .nanoseconds(Int64(settings.messageBurst) * Self.price(settings))
    }

    /// Three quarters of a burst are unused, so that the device cannot have sent too fast since it was read from again.
    func isCalm(at now: NIODeadline, _ settings: ConnectionSettings) -> Bool {
        !owes(at: now, moreThan: Int64(settings.messageBurst) / 4, settings)
    }

    private func owes(at now: NIODeadline, moreThan frames: Int64, _ settings: ConnectionSettings) -> Bool {
        paidAt - now > .nanoseconds(frames * Self.price(settings))
    }

    private static func price(_ settings: ConnectionSettings) -> Int64 {
        1_000_000_000 / Int64(settings.messagesPerSecond)
    }
}
