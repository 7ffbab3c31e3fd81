import Foundation

/// Where values stand between the bottom and the top of a panel, and which of them are written beside it.
struct Scale {
    let ticks: [Double]
    private let low: Double
    private let high: Double
    private let isLogarithmic: Bool

    /// Lines beside which a number stands, at most.
    private static let mostTicks = 5.0
    /// Of the largest value: what lies closer together than that is one value.
    private static let smallestSpan = 0.05

    /// - Parameter axis: Of powers of ten, what is not above zero has no place.
    init(_ values: [Double], _ axis: Chart.Axis) {
        if case .logarithmic = axis {
            isLogarithmic = true
            let values = values.filter { $0 > 0 }
            let first = floor(log10(values.min() ?? 1))
            let last = max(first + 1, ceil(log10(values.max() ?? 1)))
            (low, high) = (first, last)
            ticks = stride(from: first, through: last, by: 1).map { pow(10, $0) }
            return
        }
        isLogarithmic = false
        let most = max(values.max() ?? 0, 1e-9)
        var least = 0.0
        if case .fromSmallest = axis { least = values.min() ?? 0 }
        let rough = max(most - least, most * Self.smallestSpan) / Self.mostTicks
        let power = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
        let (first, last) = (floor(least / step), ceil(most / step * 0.999))
        (low, high) = (first * step, last * step)
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    }

    func holds(_ value: Double) -> Bool { !isLogarithmic || value > 0 }

    /// From 0 at the bottom to 1 at the top.
    func share(_ value: Double) -> Double { ((isLogarithmic ? log10(value) : value) - low) / (high - low) }

    static func label(_ value: Double) -> String {
        if value >= 1_000 {
            let thousands = value / 1_000
            return thousands == thousands.rounded() ? "\(Int(thousands))k" : String(format: "%.1fk", thousands)
        }
        return String(format: "%g", value)
    }
}
