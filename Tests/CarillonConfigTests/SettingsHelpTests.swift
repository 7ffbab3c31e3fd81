import CarillonDomain
import FoundationEssentials
import Testing

@testable import CarillonConfig

@Suite("Help and README")
struct SettingsHelpTests {
    @Test func helpNamesEverySettingWithItsFlagAndDefault() {
        let lines = SettingsHelp.text.split(separator: "\n")
        for definition in SettingDefinition.all {
            let head = lines.filter { $0.hasPrefix("  \(definition.name) ") }
            #expect(head.count == 1, "\(definition.name)")
            #expect(head.first?.contains(definition.flag.map { " \($0) " } ?? "(no flag)") == true)
            #expect(head.first?.hasSuffix("default: \(definition.shownDefault)") == true)
        }
        for flag in ["--dev", "--version", "--help"] { #expect(lines.contains { $0.hasPrefix("  \(flag) ") }) }
    }

    @Test func helpFits100Columns() {
        for line in SettingsHelp.text.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
    }

    @Test func namesAreUniqueAndSecretsHaveNoFlag() {
        #expect(Set(SettingDefinition.all.map(\.name)).count == SettingDefinition.all.count)
        #expect(
            SettingDefinition.all.filter(\.isSecret).map(\.name) == [
                "REDIS_URL", "REDIS_PASSWORD", "REDIS_SENTINEL_PASSWORD",
            ]
        )
        #expect(SettingDefinition.all.allSatisfy { $0.isSecret == ($0.flag == nil) })
        #expect(SettingDefinition.named("WS_MESSAGES_PER_SECOND").flag == "--ws-messages-per-second")
    }

    @Test func helpAndVersionArePrintedWhateverElseIsSet() throws {
        let wrong = ["REDIS_DB": "x"]
        for (flags, text) in [
            (["--help"], SettingsHelp.text), (["-h"], SettingsHelp.text),
            (["--version"], "carillon-server \(CarillonVersion.text)"), (["--version", "--help"], SettingsHelp.text),
        ] {
            guard case .print(text) = try Invocation.parse(arguments: ["carillon-server"] + flags, environment: wrong)
            else {
                Issue.record("\(flags)")
                continue
            }
        }
        guard case .run(let settings) = try Invocation.parse(arguments: ["x", "--pod-id=p"], environment: [:]) else {
            Issue.record("not run")
            return
        }
        #expect(settings.podID == "p")
    }

    /// The README shows the table between two markers; when this fails, paste what it prints there.
    @Test func theReadmeShowsTheTable() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: "/\(root)/README.md"))
        let readme = String(decoding: data, as: UTF8.self)
        let sections = readme.split(separator: "<!-- settings -->", omittingEmptySubsequences: false).dropFirst()
        #expect(sections.count == 1, "README.md needs one <!-- settings --> and one <!-- /settings -->")
        let table = sections.first?.split(separator: "<!-- /settings -->", omittingEmptySubsequences: false).first
        let shown = table.map { $0.split(separator: "\n").joined(separator: "\n") }
        #expect(shown == SettingsHelp.markdown, "README.md should show:\n\(SettingsHelp.markdown)")
    }
}
