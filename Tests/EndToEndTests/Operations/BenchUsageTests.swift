import CarillonTestSupport
import Testing

/// What cannot be measured is said before anything is started.
@Suite struct BenchUsageTests {
    @Test(arguments: [
        (["--cells", "nope"], "there is no cell 'nope'"),
        (["--cells", ""], "nothing to measure"),
        (["--hubs", "nope"], "there is no hub 'nope'"),
        (["--rounds", "0"], "--rounds is 1 to 100"),
        (["--rounds", "101"], "--rounds is 1 to 100"),
        (["--pace", "0.09"], "--pace is 0.1 to 10"),
        (["--pace", "10.1"], "--pace is 0.1 to 10"),
        (["--url", "nonsense://x"], "nonsense"),
        (["--url", "http://127.0.0.1:1", "--hubs", "carillon,nchan"], "exclude one another"),
    ])
    func aWrongArgumentIsAUsageError(arguments: [String], says: String) async throws {
        let bench = try ChildProcess(BuiltProgram.bench, arguments)
        #expect(try await bench.exit() == 64)
        #expect(bench.standardError.contains(says), "\(bench.standardError)")
    }
}
