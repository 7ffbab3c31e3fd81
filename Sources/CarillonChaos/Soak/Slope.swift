/// The straight line that fits a series best: whether something grows, and how fast, through all its ups and downs.
///
/// - Source: linear regression by ordinary least squares
package struct Slope: Sendable {
    /// Growth of the value in each second.
    package let perSecond: Double
    /// Seconds from the first point to the last.
    package let length: Double

    /// Growth along the line over the whole series.
    package var growth: Double { perSecond * length }

    /// - Returns: nil where there are no two moments to draw a line through.
    package init?(_ points: [Point]) {
        guard let first = points.map(\.second).min(), let last = points.map(\.second).max(), last > first else {
            return nil
        }
        let count = Double(points.count)
        // Around the middle of things, so that large values lose no digits.
        let second = points.reduce(0) { $0 + $1.second } / count
        let value = points.reduce(0) { $0 + $1.value } / count
        let product = points.reduce(0) { $0 + ($1.second - second) * ($1.value - value) }
        let square = points.reduce(0) { $0 + ($1.second - second) * ($1.second - second) }
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
