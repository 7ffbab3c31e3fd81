/// Metrics of one name that differ in their label values, all of which are known when the family is made.
///
/// Label values never come from outside, so nobody can make the number of series grow.
struct LabelledFamily<Series: Metric>: MetricFamily {
    let name: String
    let help: String
    let series: [Series]
    private let labels: [String]

    /// - Parameters:
    ///   - keys: Label names.
    ///   - values: One row for each series, with one value for each label name.
    ///   - make: Makes a series' metric from the family's name and help.
    init(
        _ name: String,
        _ help: String,
        keys: [String],
        values: [[String]],
        make: (String, String) -> Series
    ) {
        self.name = name
        self.help = help
        labels = values.map { row in
            zip(keys, row).map { "\($0)=\"\(ExpositionText.escapedLabel($1))\"" }.joined(separator: ",")
        }
        series = values.map { _ in make(name, help) }
    }

    static var kind: String { Series.kind }

    func writeSeries(into text: inout ExpositionText) {
        for (labels, metric) in zip(labels, series) { metric.write(labels: labels, into: &text) }
    }
}
