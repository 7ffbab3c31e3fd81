import CarillonFuzz
import Testing

/// What the own framing takes, the library's parser reads in the same way, for requests that are nearly usual. `make fuzz` tries
/// the same with requests of any kind.
@Suite struct DifferentialFramingTests {
    private static let rounds = 4_000

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func takesNothingThatTheLibraryReadsOtherwise(seed: UInt64) throws {
        var mutator = RequestMutator(seed: seed)
        var taken = 0
        for _ in 0..<Self.rounds where try mutator.request().withUnsafeBytes(HTTPFastPath.check) { taken += 1 }
        // Neither nearly all nor nearly none, or the comparison would say little.
        #expect((Self.rounds / 10...Self.rounds * 9 / 10).contains(taken), "\(taken) taken")
    }
}
