internal import NIOCore

/// Growing pauses with full jitter, so that many clients of a server that comes back do not come back together.
///
/// - Source: "Exponential Backoff And Jitter", AWS Architecture Blog
struct Backoff: Sendable {
    private let base: TimeAmount
    private let cap: TimeAmount
    private var attempts = 0

    /// The pause of attempt n is random between 0 and `base` * 2^n, at most `cap`.
    init(base: TimeAmount, cap: TimeAmount) {
        self.base = base
        self.cap = cap
    }

    mutating func next() -> TimeAmount {
        let ceiling = ceiling
        attempts += 1
        return .nanoseconds(.random(in: 0...ceiling.nanoseconds))
    }

    mutating func reset() { attempts = 0 }

    var ceiling: TimeAmount {
        let factor = Int64(1) << min(attempts, 32)
        let (product, overflow) = base.nanoseconds.multipliedReportingOverflow(by: factor)
        return overflow ? cap : min(.nanoseconds(product), cap)
    }
}

extension TimeAmount {
    /// `1.2 s`, for messages.
    var seconds: String {
        let tenths = (nanoseconds + 50_000_000) / 100_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }

    init(seconds: Double) { self = .nanoseconds(Int64(seconds * 1_000_000_000)) }
}
