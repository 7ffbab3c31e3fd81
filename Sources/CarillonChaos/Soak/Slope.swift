/// The straight line that fits a series best: whether something grows, and how fast, through all its ups and downs.
///
/// The series may be in stretches, between which the value may leap; only what happens within them counts.
///
/// - Source: linear regression by ordinary least squares; with several stretches, of the deviations from each one's mean ("within
///   estimator" of panel data)
package struct Slope: Sendable {
    /// Growth of the value in each second.
    package let perSecond: Double
    /// Seconds from the first point to the last.
    package let length: Double

    /// Growth along the line over the whole series.
    package var growth: Double { perSecond * length }

    /// - Returns: nil where there are no two moments of a stretch to draw a line through.
    package init?(_ stretches: [[Point]]) {
        var (product, square) = (0.0, 0.0)
        for points in stretches where !points.isEmpty {
            let count = Double(points.count)
            let second = points.reduce(0) { $0 + $1.second } / count
            let value = points.reduce(0) { $0 + $1.value } / count
            product += points.reduce(0) { $0 + ($1.second - second) * ($1.value - value) }
            square += points.reduce(0) { $0 + ($1.second - second) * ($1.second - second) }
        }
        let seconds = stretches.joined().map(\.second)
        guard square > 0, let first = seconds.min(), let last = seconds.max() else { return nil }
        perSecond = product / square
        length = last - first
    }
}

/// A value at a second of a run.
package struct Point: Sendable, Equatable {
    package let second: Double
    package let value: Double

    package init(_ second: Double, _ value: Double) {
        self.second = second
        self.value = value
    }
}

extension [Point] {
    /// The stretches that are left when what lies within `gaps` is taken out.
    package func stretches(without gaps: [ClosedRange<Double>]) -> [[Point]] {
        var stretches: [[Point]] = [[]]
        for point in self {
            if !gaps.contains(where: { $0.contains(point.second) }) {
                stretches[stretches.count - 1].append(point)
            } else if stretches.last?.isEmpty == false {
                stretches.append([])
            }
        }
        return stretches.filter { !$0.isEmpty }
    }

    /// At most so many points, in the order of time: each the mean of as many neighbours.
    package func thinned(to count: Int) -> [Point] {
        guard self.count > count, count > 0 else { return self }
        let each = (self.count + count - 1) / count
        return stride(from: 0, to: self.count, by: each).map { start in
            let part = self[start..<Swift.min(start + each, self.count)]
            let size = Double(part.count)
            return Point(part.reduce(0) { $0 + $1.second } / size, part.reduce(0) { $0 + $1.value } / size)
        }
    }
}
