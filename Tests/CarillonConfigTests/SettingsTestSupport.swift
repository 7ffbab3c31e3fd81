@testable import CarillonConfig

/// The settings for flags and environment variables.
func load(_ flags: [String] = [], _ environment: [String: String] = [:]) throws(SettingsError) -> Settings {
    try Settings.load(arguments: ["carillon-server"] + flags, environment: environment)
}

/// The line that refuses what was given, or nil where it is accepted.
func refusal(_ flags: [String] = [], _ environment: [String: String] = [:]) -> String? {
    do throws(SettingsError) {
        _ = try load(flags, environment)
        return nil
    } catch {
        return error.line
    }
}
