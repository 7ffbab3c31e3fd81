internal import CarillonLoad
internal import NIOCore

/// The windows of faults, and what follows from them: what is due when, what is excused, what was calm.
///
/// A window reaches from the fault's beginning to the grace after its end, because that long the hub may take to recover.
struct FaultBook {
    struct Window {
        let record: FaultRecord
        let began: NIODeadline
        var ended: NIODeadline?
        /// When everything accepted before the end was delivered and all devices were back.
        var recovered: NIODeadline?
        /// Deliveries that ran while the window was open.
        var latency = LatencyHistogram()
        /// Posts answered with 202 while it was.
        var answers = LatencyHistogram()
    }

    /// Time after a fault's end within which everything must be as if it had not been.
    static let grace = TimeAmount.seconds(5)
    /// Time that a delivery may take where no fault runs.
    static let allowance = TimeAmount.seconds(1)

    private(set) var windows: [Window] = []
    /// The end of the last window; distant where one is open.
    private var calmFrom = NIODeadline.distantPast

    mutating func begin(_ record: FaultRecord, at now: NIODeadline) -> Int {
        windows.append(Window(record: record, began: now))
        calmFrom = .distantFuture
        return windows.count - 1
    }

    mutating func end(_ fault: Int, at now: NIODeadline) {
        guard windows[fault].ended == nil else { return }
        windows[fault].ended = now
        calmFrom = windows.map { $0.ended.map { $0 + Self.grace } ?? .distantFuture }.max() ?? .distantPast
    }

    mutating func recover(_ fault: Int, at now: NIODeadline) { windows[fault].recovered = now }

    /// Books a time from `start` to `end` in all windows that it touches. - Returns: whether there are any.
    mutating func record(
        from start: NIODeadline,
        to end: NIODeadline,
        in histogram: WritableKeyPath<Window, LatencyHistogram>
    ) -> Bool {
        guard start < calmFrom else { return false }
        var isTouched = false
        for index in windows.indices where overlaps(windows[index], start, end) {
            windows[index][keyPath: histogram].record(end - start)
            isTouched = true
        }
        return isTouched
    }

    /// Whether a fault, or the grace after one, touches this time.
    func touches(from start: NIODeadline, to end: NIODeadline) -> Bool {
        start < calmFrom && windows.contains { overlaps($0, start, end) }
    }

    /// When something that began at `start` and became possible at `base` has to be done; nil as long as a fault holds
    /// it up.
    func due(from start: NIODeadline, base: NIODeadline) -> NIODeadline? {
        var due = base + Self.allowance
        guard start < calmFrom else { return due }
        var isExtended = true
        while isExtended {
            isExtended = false
            for window in windows where overlaps(window, start, due) {
                guard let ended = window.ended else { return nil }
                if ended + Self.grace > due {
                    due = ended + Self.grace
                    isExtended = true
                }
            }
        }
        return due
    }

    /// The fault that excuses that something of this user, or of nobody (nil), begun at `start` and confirmed at `confirmed`, is
    /// gone.
    ///
    /// - Parameter isPost: It is an accepted post, and no read or subscription, of which the hub does not ask replicas.
    func excuse(user: Int?, from start: NIODeadline, confirmed: NIODeadline, isPost: Bool = false) -> Int? {
        windows.firstIndex { window in
            guard start <= window.ended ?? .distantFuture else { return false }
            switch window.record.excuse {
            case .nothing: return false
            case .unsynced(let lag): return confirmed >= window.began - TimeAmount(lag)
            case .failedOver(let lag, let isPostSafe):
                return !(isPost && isPostSafe) && confirmed >= window.began - TimeAmount(lag)
            case .wiped(nil): return true
            case .wiped(let users?): return user.map(users.contains) ?? false
            }
        }
    }

    /// Whether a fault may have brought back what was removed at `confirmed`: one that took the end of everything that was written.
    func mayHaveUndone(from start: NIODeadline, confirmed: NIODeadline) -> Bool {
        windows.contains { window in
            guard start <= window.ended ?? .distantFuture else { return false }
            switch window.record.excuse {
            case .unsynced(let lag), .failedOver(let lag, _): return confirmed >= window.began - TimeAmount(lag)
            case .nothing, .wiped: return false
            }
        }
    }

    /// Whether a replica took the place of its primary, or may yet.
    var hasFailedOver: Bool {
        windows.contains { if case .failedOver = $0.record.excuse { true } else { false } }
    }

    /// Whether a fault that may have taken stream ids back touches this moment.
    func mayHaveGoneBack(user: Int, at now: NIODeadline) -> Bool {
        windows.contains { window in
            guard overlaps(window, now, now) else { return false }
            switch window.record.excuse {
            case .nothing: return false
            case .unsynced, .failedOver: return true
            case .wiped(let users): return users?.contains(user) ?? true
            }
        }
    }

    private func overlaps(_ window: Window, _ start: NIODeadline, _ end: NIODeadline) -> Bool {
        window.began <= end && (window.ended.map { $0 + Self.grace } ?? .distantFuture) >= start
    }
}
