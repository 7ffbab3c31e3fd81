import Configuration

/// The texts that were given for settings, looked up by name and parsed by the rule of their row in the table.
///
/// A flag wins over the environment; an empty environment variable counts as unset.
struct SettingValues {
    private let reader: ConfigReader
    private let flags: Set<String>

    init(flags: CommandLineFlags, environment: [String: String]) {
        let secrets = Set(SettingDefinition.all.filter(\.isSecret).map(\.name))
        reader = ConfigReader(providers: [
            CommandLineArgumentsProvider(arguments: flags.normalized),
            EnvironmentVariablesProvider(
                environmentVariables: environment.filter { !$0.value.isEmpty },
                secretsSpecifier: .specific(secrets)
            ),
        ])
        self.flags = flags.given
    }

    /// What was given for a setting, or nil.
    func given(_ definition: SettingDefinition) -> String? {
        let key = ConfigKey(definition.components)
        if let flag = definition.flag, flags.contains(flag) {
            // The provider splits every argument at its commas, and answers nothing to a question for one text then.
            return reader.stringArray(forKey: key)?.joined(separator: ",")
        }
        return reader.string(forKey: key, isSecret: definition.isSecret)
    }

    /// Whether a setting was given at all, as opposed to left to its default.
    func isGiven(_ name: String) -> Bool {
        given(.named(name)) != nil
    }

    /// The given text or the default, for settings with a rule of their own.
    func text(_ name: String) -> String? {
        let definition = SettingDefinition.named(name)
        return given(definition) ?? definition.defaultText
    }

    /// Parses a setting whose parser answers nil to what it does not accept.
    func parsed<Value>(_ name: String, _ parse: (String) -> Value?) throws(SettingsError) -> Value? {
        guard let text = text(name) else { return nil }
        guard let value = parse(text) else {
            let definition = SettingDefinition.named(name)
            throw .invalid(definition, text, isNot: definition.rule)
        }
        return value
    }

    func integer(_ name: String) throws(SettingsError) -> Int {
        guard case .integer(let range) = SettingDefinition.named(name).kind else {
            preconditionFailure("\(name) is not an integer")
        }
        return try required(name) { text in
            Int(text).flatMap { range.contains($0) && text.utf8.allSatisfy(Self.isDigit) ? $0 : nil }
        }
    }

    func duration(_ name: String) throws(SettingsError) -> Duration {
        guard case .duration(let range, let unit) = SettingDefinition.named(name).kind else {
            preconditionFailure("\(name) is not a duration")
        }
        return try required(name) { text in
            guard let duration = DurationText.parse(text), range.contains(duration) else { return nil }
            return duration.wholeMilliseconds.isMultiple(of: unit.wholeMilliseconds) ? duration : nil
        }
    }

    func boolean(_ name: String) throws(SettingsError) -> Bool {
        try required(name) { text in
            switch text.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        }
    }

    /// A setting whose choices are the raw values of `Value`.
    func choice<Value: RawRepresentable<String>>(
        _ name: String,
        of type: Value.Type
    ) throws(SettingsError) -> Value {
        try required(name) { Value(rawValue: $0.lowercased()) }
    }

    /// Parses a setting that has a default.
    func required<Value>(_ name: String, _ parse: (String) -> Value?) throws(SettingsError) -> Value {
        guard let value = try parsed(name, parse) else { preconditionFailure("\(name) has no default") }
        return value
    }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
