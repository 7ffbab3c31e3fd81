/// What is known about one setting: its row in `--help`, in the README, and the rule that its value is held to.
package struct SettingDefinition: Sendable {
    /// Heading that the setting stands under in `--help`.
    package enum Section: String, CaseIterable, Sendable {
        case server = "Server"
        case redis = "Redis"
        case notifications = "Notifications"
        case devices = "Devices"
        case workers = "Workers"
        case log = "Log"
    }

    package enum Kind: Sendable {
        case integer(ClosedRange<Int>)
        /// - Parameter unit: What a value has to be a multiple of: a second or a millisecond.
        case duration(ClosedRange<Duration>, unit: Duration)
        case boolean
        case choice([String])
        /// - Parameter rule: What is accepted, in words that fit after "is not"; the setting has a parser of its own.
        case text(rule: String)
    }

    package let section: Section
    /// Name of the environment variable.
    package let name: String
    package let kind: Kind
    /// Parsed like a given value; nil where nothing is the default or the default depends on the machine.
    package let defaultText: String?
    /// Stands for a default that depends on the machine.
    package let defaultNote: String?
    package let help: String
    /// Never shown, and without a flag, as everybody on the machine can read the arguments of a process.
    package let isSecret: Bool

    init(
        _ section: Section,
        _ name: String,
        _ kind: Kind,
        default defaultText: String? = nil,
        note defaultNote: String? = nil,
        isSecret: Bool = false,
        _ help: String
    ) {
        self.section = section
        self.name = name
        self.kind = kind
        self.defaultText = defaultText
        self.defaultNote = defaultNote
        self.help = help
        self.isSecret = isSecret
    }

    /// `--redis-addr` for `REDIS_ADDR`; nil for secrets.
    package var flag: String? {
        isSecret ? nil : "--" + components.joined(separator: "-")
    }

    /// `["redis", "addr"]` for `REDIS_ADDR`.
    var components: [String] {
        name.split(separator: "_").map { $0.lowercased() }
    }

    /// The default as help and README show it.
    package var shownDefault: String { defaultText ?? defaultNote ?? "none" }

    /// The accepted values as help and README show them.
    package var shownValues: String {
        switch kind {
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .duration(let range, _):
            "\(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
        case .boolean: "true or false"
        case .choice(let choices): choices.joined(separator: ", ")
        case .text(let rule): rule
        }
    }

    /// The accepted values in words that fit after "is not".
    var rule: String {
        switch kind {
        case .integer: "an integer from \(shownValues)"
        case .duration(_, let unit):
            "a duration from \(shownValues), written like \(unit < .seconds(1) ? "500ms, " : "")5, 5s or 2m"
        case .boolean: shownValues
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        case .text(let rule): rule
        }
    }

    /// The row named `name`, which has to exist.
    static func named(_ name: String) -> SettingDefinition {
        guard let definition = all.first(where: { $0.name == name }) else {
            preconditionFailure("no setting is called \(name)")
        }
        return definition
    }
}
