import CarillonDomain
import CarillonLoad
import NIOCore

/// Users who do nothing wrong: each has a device, all are sent notifications at a steady pace, and the time from the
/// moment at which one was due to its push is measured.
///
/// - Isolation: its event loop
final class GoodUsers: LoadDeviceObserver {
    private let eventLoop: any EventLoop
    private let port: Int
    private let perSecond: Double
    private var devices: [LoadDevice] = []
    private var posters: [LoadPoster] = []
    /// Posts that wait for a poster.
    private var waiting = CircularBuffer<Int>()
    private var turn = 0
    /// By number: when a post was due. Zero once its push has come.
    private var due: [UInt64] = []
    private var next = NIODeadline.distantFuture
    private var timer: RepeatedTask?
    private var window = GoodWindow()
    private var windowStart = UInt64.max
    private var windowEnd = UInt64.max
    private(set) var liveDevices = 0

    static let userCount = 50
    private static let posterCount = 32

    init(port: Int, perSecond: Double, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.port = port
        self.perSecond = perSecond
    }

    func start() {
        posters = (0..<Self.posterCount).map { _ in LoadPoster(eventLoop: eventLoop, port: port) }
        devices = (1...Self.userCount).map {
            LoadDevice(eventLoop: eventLoop, port: port, userID: $0, login: "good", observer: self)
        }
        devices.forEach { $0.connect() }
        next = .now()
        // All of them connect now, so that no connection of ours comes while an attack is measured.
        for _ in posters { add(due: next.uptimeNanoseconds) }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { _ in
            bound.value.postDue()
        }
    }

    func stop() {
        timer?.cancel()
        devices.forEach { $0.drop() }
        posters.forEach { $0.close() }
    }

    // MARK: - Measuring

    /// What was due from now on is measured.
    func beginWindow() {
        window = GoodWindow()
        windowStart = NIODeadline.now().uptimeNanoseconds
        windowEnd = .max
    }

    func endWindow() {
        windowEnd = NIODeadline.now().uptimeNanoseconds
        window.seconds = Double(windowEnd - windowStart) / 1e9
    }

    /// What was measured, once it is whole.
    var measured: GoodWindow? { window.undelivered == 0 ? window : nil }

    /// What was measured, and what is missing for good.
    var unfinished: GoodWindow {
        if window.undelivered > 0 {
            window.missing = due.indices.filter { due[$0] > 0 && isMeasured(due[$0]) }
        }
        return window
    }

    private func isMeasured(_ due: UInt64) -> Bool { due >= windowStart && due < windowEnd }

    // MARK: - Posting

    private func postDue() {
        let now = NIODeadline.now()
        while next <= now {
            let time = next.uptimeNanoseconds
            add(due: time)
            if isMeasured(time) { window.undelivered += 1 }
            next = next + .nanoseconds(Int64(1_000_000_000 / perSecond))
        }
        postNext()
    }

    private func add(due time: UInt64) {
        waiting.append(due.count)
        due.append(time)
    }

    private func postNext() {
        // In turns, so that none of them is closed for being idle.
        for _ in posters.indices {
            turn = (turn + 1) % posters.count
            let poster = posters[turn]
            guard poster.isIdle else { continue }
            guard let number = waiting.popFirst() else { return }
            let user = 1 + number % Self.userCount
            let body = ByteBuffer(
                string: #"{"target":[{"id":\#(user),"login":"good"}],"message":"\#(number)","source":"hostile"}"#
            )
            poster.post(body) { [self] result in
                if case .answered(let answer) = result, answer.status == 202 { return }
                window.refused += 1
            }
        }
    }

    // MARK: - What devices hear

    func opened(_ device: LoadDevice) {}

    func pushed(_ device: LoadDevice, _ push: LoadPush) {
        guard let number = Int(String(buffer: push.message)), due.indices.contains(number), due[number] > 0 else {
            return
        }
        let time = due[number]
        due[number] = 0
        if windowEnd == .max { window.delivered += 1 }
        guard isMeasured(time) else { return }
        window.undelivered -= 1
        window.latency.record(.nanoseconds(Int64(NIODeadline.now().uptimeNanoseconds - time)))
    }

    func ready(_ device: LoadDevice, _ ready: LoadReady) { liveDevices += 1 }

    func closed(_ device: LoadDevice, _ close: LoadClose) {
        liveDevices -= 1
        window.lostDevices += 1
    }

    func readAcknowledged(_ device: LoadDevice, _ entry: LoadEntry) {}
    func autoCleared(_ device: LoadDevice, _ entry: LoadEntry) {}
    func subscribed(_ device: LoadDevice, _ channels: Set<Topic>) {}
    func failed(_ device: LoadDevice, _ error: LoadErrorFrame) {}
}

/// What became of the good users' notifications over a time.
struct GoodWindow: Sendable {
    var latency = LatencyHistogram()
    /// Its length, and what came within it.
    var seconds = 0.0
    var delivered = 0
    var undelivered = 0
    /// The numbers of those that did not come.
    var missing: [Int] = []
    var refused = 0
    var lostDevices = 0

    var perSecond: Double { Double(delivered) / max(0.001, seconds) }

    /// Takes the times of another one, too.
    mutating func add(_ other: GoodWindow) {
        latency.add(other.latency)
        seconds += other.seconds
        delivered += other.delivered
    }

    func milliseconds(_ share: Double) -> Double { Double(latency.percentile(share).nanoseconds) / 1e6 }

    var fault: String? {
        if lostDevices > 0 { return "\(lostDevices) good devices lost their connections" }
        if refused > 0 { return "\(refused) good posts were refused" }
        return undelivered > 0 ? "\(undelivered) good pushes did not come, of posts \(missing.prefix(5))" : nil
    }
}

@available(*, unavailable)
extension GoodUsers: Sendable {}
