import CarillonDomain
import FoundationEssentials

/// What the command line asks `carillon-server` to do.
package enum Invocation: Sendable {
    case run(Settings)
    /// `--help` and `--version`: print this to standard output and exit 0.
    case print(String)

    /// - Throws: The line to print to standard error before an exit with `SettingsError.exitCode`.
    package static func parse(
        arguments: [String] = CommandLine.arguments,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SettingsError) -> Invocation {
        let flags = try CommandLineFlags(arguments)
        if flags.switches.contains(.help) { return .print(SettingsHelp.text) }
        if flags.switches.contains(.version) { return .print("carillon-server \(CarillonVersion.text)") }
        return .run(try Settings.load(flags, environment: environment))
    }
}
