import CarillonTestSupport
import Testing

@Suite struct SeededGeneratorTests {
    /// The published sequence of SplitMix64 for seed 0.
    @Test func givesThePublishedNumbers() {
        var generator = SeededGenerator(seed: 0)
        let numbers = (0..<3).map { _ in generator.next() }
        #expect(numbers == [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f])
    }

    @Test func sameSeedGivesTheSameChoices() {
        var first = SeededGenerator(seed: 7)
        var second = SeededGenerator(seed: 7)
        let choices = (0..<100).map { _ in Int.random(in: 0..<1_000, using: &first) }
        #expect(choices == (0..<100).map { _ in Int.random(in: 0..<1_000, using: &second) })
        #expect(Set(choices).count > 50)
    }
}
