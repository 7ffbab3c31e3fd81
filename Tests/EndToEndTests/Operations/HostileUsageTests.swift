import CarillonTestSupport
import Testing

/// What cannot be attacked is said before anything is started.
@Suite struct HostileUsageTests {
    @Test(arguments: [
        (["--attacks", "nope"], "there is no attack 'nope'"),
        (["--attacks", ""], "there is nothing to attack with"),
        (["--rate", "0.9"], "--rate is 1 at least"),
        (["--set", "MAX_BODY_BYTES"], "--set takes NAME=value"),
    ])
    func aWrongArgumentIsAUsageError(arguments: [String], says: String) async throws {
        let hostile = try ChildProcess(BuiltProgram.hostile, arguments)
        #expect(try await hostile.exit() == 64)
        #expect(hostile.standardError.contains(says), "\(hostile.standardError)")
    }

    @Test func everyAttackOfTheListCanBeNamed() async throws {
        let list = try ChildProcess(BuiltProgram.hostile, ["--list"])
        #expect(try await list.exit() == 0)
        let names = list.standardOutput.split(separator: "\n").compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
        #expect(names.count == Set(names).count && names.count >= 25)
        // Nothing is wrong with the names, so the next fault is told.
        let all = try ChildProcess(BuiltProgram.hostile, ["--attacks", names.joined(separator: ","), "--rate", "0"])
        #expect(try await all.exit() == 64)
        #expect(all.standardError.contains("--rate is 1 at least"), "\(all.standardError)")
    }
}
