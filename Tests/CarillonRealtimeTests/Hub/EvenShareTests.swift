import Testing

@testable import CarillonRealtime

@Suite struct EvenShareTests {
    @Test(arguments: [0, 1, 2, 399, 400, 401, 1_000])
    func everythingIsDueOnceInARound(count: Int) {
        var share = EvenShare()
        for _ in 0..<3 {
            let due = (0..<400).map { _ in share.next(of: count, in: 400) }
            #expect(due.reduce(0, +) == count)
            #expect(due.max()! - due.min()! <= 1)
        }
    }
}
