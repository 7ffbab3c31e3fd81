/// One family of the exposition: a name, a help line, and one or more series that differ in their labels.
///
/// - Source: Prometheus text exposition format 0.0.4
protocol MetricFamily: Sendable {
    var name: String { get }
    var help: String { get }
    /// `counter`, `gauge` or `histogram`.
    static var kind: String { get }
    func writeSeries(into text: inout ExpositionText)
}

/// A metric that can stand alone or, with labels, as one series of a `LabelledFamily`.
protocol Metric: MetricFamily {
    /// - Parameter labels: `key="value",…` already escaped, or empty.
    func write(labels: String, into text: inout ExpositionText)
}

extension Metric {
    func writeSeries(into text: inout ExpositionText) { write(labels: "", into: &text) }
}
