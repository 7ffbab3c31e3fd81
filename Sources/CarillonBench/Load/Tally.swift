internal import CarillonLoad
internal import NIOCore

/// Counts what became of messages: one bit for each message and receiver, so that lost, duplicated and disordered ones are
/// counted exactly.
///
/// - Isolation: the event loop
final class Tally {
    /// Receivers of each message.
    private let receivers: Int
    private let users: Int
    /// Order is judged where one publisher publishes all that a receiver gets.
    private let judgesOrder: Bool
    private var received: [UInt64] = []
    /// By message: receivers that are still missing.
    private var missing: [Int] = []
    private var firstUser: [Int32] = []
    /// By connection: the highest number that came.
    private var highest: [Int]

    private(set) var published = 0
    private(set) var accepted = 0
    private(set) var delivered = 0
    /// Messages that all receivers have.
    private(set) var completed = 0
    private(set) var duplicated = 0
    private(set) var disordered = 0
    private(set) var refused = 0
    private(set) var acknowledged = 0
    /// From the moment a message was due to its receipt, of those that were due while `isMeasuring`.
    private(set) var latency = LatencyHistogram()
    private var measuredFrom = UInt64.max
    private var measuredTo = UInt64.max

    /// - Parameters:
    ///   - targets: Users that each message is for.
    init(connections: Int, users: Int, targets: Int) {
        self.users = users
        receivers = connections / users * targets
        judgesOrder = targets == 1
        highest = [Int](repeating: -1, count: connections)
    }

    /// Published and not yet with all receivers.
    var undelivered: Int { published - refused - completed }

    /// Deliveries that were owed and never came.
    var lost: Int { (published - refused) * receivers - delivered }

    /// A message for `targets` users from `user` on is published. - Returns: its number.
    func publish(user: Int) -> Int {
        let number = published
        published += 1
        missing.append(receivers)
        firstUser.append(Int32(user))
        let words = (published * receivers + 63) / 64
        if received.count < words { received += [UInt64](repeating: 0, count: max(1_024, words - received.count)) }
        return number
    }

    func answered(isAccepted: Bool) {
        if isAccepted { accepted += 1 } else { refused += 1 }
        // With nobody there to receive it, storing it is all.
        if isAccepted, receivers == 0 { completed += 1 }
    }

    func readAcknowledged() { acknowledged += 1 }

    /// Latencies of messages count that are due from now on.
    func startMeasuring(at time: UInt64) { measuredFrom = time }

    func stopMeasuring(at time: UInt64) { measuredTo = time }

    /// A connection received a message. - Returns: whether for the first time.
    func received(_ stamp: Stamp, connection: Int, now: UInt64) -> Bool {
        guard stamp.number < published else { return false }
        let distance = (connection % users - Int(firstUser[stamp.number]) + users) % users
        let bit = stamp.number * receivers + distance * (highest.count / users) + connection / users
        guard received[bit >> 6] & (1 << UInt64(bit & 63)) == 0 else {
            duplicated += 1
            return false
        }
        received[bit >> 6] |= 1 << UInt64(bit & 63)
        if judgesOrder, stamp.number < highest[connection] { disordered += 1 }
        highest[connection] = max(highest[connection], stamp.number)
        delivered += 1
        missing[stamp.number] -= 1
        if missing[stamp.number] == 0 { completed += 1 }
        if stamp.due >= measuredFrom, stamp.due < measuredTo {
            latency.record(.nanoseconds(Int64(now > stamp.due ? now - stamp.due : 0)))
        }
        return true
    }
}

@available(*, unavailable)
extension Tally: Sendable {}
