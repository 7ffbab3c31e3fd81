/// Checks the arguments before they are looked up: every one has to be a flag that exists, once, with a value.
struct CommandLineFlags {
    /// Flags that are no settings.
    enum Switch: String, CaseIterable {
        case dev = "--dev"
        case version = "--version"
        case help = "--help"

        var help: String {
            switch self {
            case .dev: "Start a private redis-server when none answers at REDIS_ADDR, and stop it at the end."
            case .version: "Print the version."
            case .help: "Print this text."
            }
        }
    }

    private(set) var switches: Set<Switch> = []
    /// Flags of settings that were given, such as `--redis-addr`.
    private(set) var given: Set<String> = []
    /// The settings' flags as `--name=value`, the program's name first.
    private(set) var normalized: [String]

    /// - Parameter arguments: Like `CommandLine.arguments`, the program's name first.
    init(_ arguments: [String]) throws(SettingsError) {
        normalized = Array(arguments.prefix(1))
        if normalized.isEmpty { normalized = ["carillon-server"] }
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            if let found = Switch(rawValue: argument == "-h" ? "--help" : argument) {
                switches.insert(found)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(parts[0])
            guard let definition = SettingDefinition.all.first(where: { $0.flag == flag }) else {
                throw Switch(rawValue: flag) == nil ? Self.unknown(flag) : SettingsError("\(flag) takes no value")
            }
            guard given.insert(flag).inserted else { throw SettingsError("\(flag) is given twice") }
            let value: String
            if parts.count == 2 {
                value = String(parts[1])
            } else if case .boolean = definition.kind, rest.first?.hasPrefix("-") ?? true {
                value = "true"
            } else if let next = rest.first, !next.hasPrefix("--") {
                value = next
                rest.removeFirst()
            } else {
                value = ""
            }
            guard !value.isEmpty else { throw SettingsError("\(flag) needs a value") }
            normalized.append("\(flag)=\(value)")
        }
    }

    private static func unknown(_ argument: String) -> SettingsError {
        guard argument.hasPrefix("-") else {
            return SettingsError("\(SettingsError.quoted(argument)) is not a flag; see --help")
        }
        let name = argument.drop { $0 == "-" }.uppercased().split(separator: "-").joined(separator: "_")
        if let secret = SettingDefinition.all.first(where: { $0.isSecret && $0.name == name }) {
            return SettingsError(
                "\(secret.name) is a secret and has no flag, as others could read it; set it in the environment"
            )
        }
        let flags = SettingDefinition.all.compactMap(\.flag) + Switch.allCases.map(\.rawValue)
        let nearest = flags.map { ($0, editDistance($0, argument)) }.min { $0.1 < $1.1 }
        if let nearest, nearest.1 <= 3 {
            return SettingsError("unknown flag \(SettingsError.quoted(argument)); did you mean \(nearest.0)?")
        }
        return SettingsError("unknown flag \(SettingsError.quoted(argument)); see --help")
    }

    /// Insertions, deletions and replacements that turn one text into the other (Levenshtein).
    static func editDistance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8.prefix(64))
        var row = Array(0...right.count)
        for (i, byte) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let replaced = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[right.count]
    }
}
