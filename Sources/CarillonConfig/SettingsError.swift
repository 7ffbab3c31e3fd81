/// The one line that says why the server does not start.
package struct SettingsError: Error, Hashable, Sendable {
    /// Without the program's name and without a line feed.
    package let message: String

    /// `EX_USAGE` of sysexits(3).
    package static let exitCode: Int32 = 64

    init(_ message: String) {
        self.message = message
    }

    /// What goes to standard error: `carillon-server: REDIS_DB: "x" is not an integer from 0 to 15`.
    package var line: String { "carillon-server: \(message)" }
}

extension SettingsError: CustomStringConvertible {
    package var description: String { line }
}

extension SettingsError {
    /// - Parameter rule: What would be accepted, after "is not".
    static func invalid(_ definition: SettingDefinition, _ value: String, isNot rule: String) -> SettingsError {
        // A wrong secret may still be most of the right one, so it is never repeated.
        definition.isSecret
            ? SettingsError("\(definition.name): the value is not \(rule)")
            : SettingsError("\(definition.name): \(quoted(value)) is not \(rule)")
    }

    /// `value` in quotes, cut to a length that fits a line, without control characters.
    static func quoted(_ value: String) -> String {
        let shown = value.unicodeScalars.prefix(80)
        var text = "\""
        for scalar in shown { LogEscape.append(scalar, to: &text) }
        return text + (shown.endIndex < value.unicodeScalars.endIndex ? "…\"" : "\"")
    }
}
