/// Texts made from the table of settings.
package enum SettingsHelp {
    /// What `--help` prints, at most 100 columns wide.
    package static var text: String {
        var lines = [
            "Usage: carillon-server [--dev] [--SETTING VALUE]...",
            "",
            "A realtime notification hub that needs nothing but Redis.",
            "",
        ]
        for flag in CommandLineFlags.Switch.allCases {
            lines.append("  \(padded(flag.rawValue, 11))\(flag.help)")
        }
        lines.append("")
        lines += wrapped(
            "Each setting is an environment variable and, secrets apart, a flag, which wins. Durations are numbers "
                + "with a unit, ms, s, m, h or d; without one they are seconds.",
            indentation: 0
        )
        for section in SettingDefinition.Section.allCases {
            lines += ["", "\(section.rawValue):"]
            for definition in SettingDefinition.all where definition.section == section {
                lines += rows(definition)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The table of settings for the README, without a line feed at its end.
    package static var markdown: String {
        var lines = ["| Variable | Flag | Default | Values | Meaning |", "| --- | --- | --- | --- | --- |"]
        for definition in SettingDefinition.all {
            let cells = [
                "`\(definition.name)`",
                definition.flag.map { "`\($0)`" } ?? "secret: none",
                definition.defaultText.map { "`\($0)`" } ?? definition.shownDefault,
                definition.shownValues,
                definition.help,
            ]
            lines.append("| \(cells.map { escaped($0) }.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }

    private static func rows(_ definition: SettingDefinition) -> [String] {
        var head = "  \(padded(definition.name, 28))\(padded(definition.flag ?? "(no flag)", 30))"
        head += "default: \(definition.shownDefault)"
        let values =
            if case .text(let rule) = definition.kind { "Takes \(rule)." } else { "(\(definition.shownValues))" }
        return [head] + wrapped("\(definition.help) \(values)", indentation: 6)
    }

    private static func wrapped(_ text: String, indentation: Int) -> [String] {
        let margin = String(repeating: " ", count: indentation)
        var lines: [String] = []
        var line = margin
        for word in text.split(separator: " ") {
            if line.count > indentation, line.count + 1 + word.count > 100 {
                lines.append(line)
                line = margin
            }
            line += line.count > indentation ? " \(word)" : word
        }
        return lines + [line]
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// A bar would end the cell.
    private static func escaped(_ cell: String) -> String {
        cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
