/// Writes the Prometheus text format.
///
/// - Source: Prometheus text exposition format 0.0.4
struct ExpositionText {
    private(set) var text = ""

    init() {
        text.reserveCapacity(32_768)
    }

    mutating func header(_ name: String, kind: String, help: String) {
        text += "# HELP \(name) \(Self.escapedHelp(help))\n# TYPE \(name) \(kind)\n"
    }

    mutating func sample(_ name: String, labels: String, _ value: String) {
        text += name
        if !labels.isEmpty { text += "{\(labels)}" }
        text += " \(value)\n"
    }

    mutating func family(_ family: some MetricFamily) {
        header(family.name, kind: type(of: family).kind, help: family.help)
        family.writeSeries(into: &self)
    }

    /// A float as the format spells it: whole numbers without a fraction, infinities as `+Inf` and `-Inf`.
    static func number(_ value: Double) -> String {
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), value.magnitude < 1e15 { return "\(Int(value))" }
        return "\(value)"
    }

    /// In label values backslash, double quote and line feed are escaped.
    static func escapedLabel(_ value: String) -> String {
        escape(value, quotes: true)
    }

    /// In help lines backslash and line feed are escaped.
    static func escapedHelp(_ value: String) -> String {
        escape(value, quotes: false)
    }

    private static func escape(_ value: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
