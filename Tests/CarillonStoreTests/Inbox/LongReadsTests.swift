import CarillonDomain
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

    /// 256 KiB are read at once, and the rest for who still waits for it.
    @Test(arguments: [(4, true), (40, false)])
    func aLongListWaits(entries: Int, isShort: Bool) async throws {
        try await StoreLink.with { link in
            let payload = "{\"message\":\"\(String(repeating: "x", count: 32_768))\"}"
            for number in 1...entries { try await link.add(.test(1), "\(number)", payload: payload) }
            let reader = link.reader
            var turns = [await reader.longReads.enter(), await reader.longReads.enter()]
            let commands = try await link.commands {
                let list = Task {
                    try await reader.page(InboxFilter(), limit: 100, from: .offset(0), of: User.test(1).key)
                }
                try await wait(until: "the list is begun") {
                    try await WireRedis(port: link.process.port).calls()["get"] ?? 0 >= 4
                }
                if !isShort { list.cancel() }
                if isShort { #expect(try await list.value.items.count == entries) }
                turns = []
                _ = try await list.value
            }
            #expect(turns.isEmpty)
            #expect(try #require(commands["get"]) < 40)
        }
    }
}
