import CarillonTestSupport
import Synchronization
import Testing

@testable import CarillonStore

/// Two long lists are made at once; the others wait, in the order in which they came.
@Suite struct LongReadsTests {
    @Test(arguments: [1, 2, 3, 10])
    func turns(count: Int) async throws {
        let reads = LongReads(atOnce: 2)
        let entered = Atomic(0)
        let isOver = Atomic(false)
        try await withThrowingTaskGroup { group in
            for _ in 0..<count {
                group.addTask {
                    let turn = await reads.enter()
                    entered.add(1, ordering: .relaxed)
                    try await wait(until: "it is over") { isOver.load(ordering: .relaxed) }
                    withExtendedLifetime(turn) {}
                }
            }
            try await wait(until: "some have their turn") { entered.load(ordering: .relaxed) >= min(count, 2) }
            #expect(entered.load(ordering: .relaxed) == min(count, 2))
            isOver.store(true, ordering: .relaxed)
            try await group.waitForAll()
        }
        #expect(entered.load(ordering: .relaxed) == count)
        // All turns are free again.
        let turns = (await reads.enter(), await reads.enter())
        withExtendedLifetime(turns) {}
    }
}
