import CarillonTestSupport
import Synchronization
import Testing

@testable import CarillonStore

/// Two long lists are made at once; the others wait.
@Suite struct LongReadsTests {
    private final class Course: Sendable {
        let entered = Atomic(0)
        let inside = Atomic(0)
        let most = Atomic(0)
    }

    @Test(arguments: [1, 2, 3, 10])
    func turns(count: Int) async throws {
        let reads = LongReads(atOnce: 2)
        let course = Course()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    let turn = await reads.enter()
                    course.entered.add(1, ordering: .relaxed)
                    course.most.max(course.inside.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
                    try await wait(until: "as many as may are inside") {
                        course.entered.load(ordering: .relaxed) >= min(count, 2)
                    }
                    // Whoever should wait has time to come in nevertheless.
                    for _ in 0..<100 { await Task.yield() }
                    course.inside.subtract(1, ordering: .relaxed)
                    withExtendedLifetime(turn) {}
                }
            }
            try await group.waitForAll()
        }
        #expect(course.entered.load(ordering: .relaxed) == count)
        #expect(course.most.load(ordering: .relaxed) == min(count, 2))
        // All turns are free again.
        let turns = (await reads.enter(), await reads.enter())
        withExtendedLifetime(turns) {}
    }
}
