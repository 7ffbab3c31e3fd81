import Testing

@testable import CarillonRealtime

@Suite struct UpkeepQueueTests {
    private func queue(of count: Int) -> UpkeepQueue<Int> {
        var queue = UpkeepQueue<Int>(batch: 10, portions: 5)
        for number in 0..<count { queue.append(number) }
        return queue
    }

    @Test(arguments: [0, 1, 9, 10])
    func aSmallBatchIsTakenWhole(count: Int) {
        var queue = queue(of: count)
        #expect(queue.next() == Array(0..<count))
        #expect(queue.count == 0 && queue.next().isEmpty)
    }

    @Test(arguments: [(11, 3), (15, 3), (16, 4), (100, 20)])
    func aLargeOneInPortions(count: Int, portion: Int) {
        var queue = queue(of: count)
        #expect(queue.next() == Array(0..<portion))
        #expect(queue.count == count - portion)
        var taken = portion
        while queue.count > 0 {
            let next = queue.next()
            #expect(next == Array(taken..<(taken + next.count)))
            taken += next.count
        }
        #expect(taken == count)
    }

    /// As many come as go: whoever comes has his turn when all portions have been taken.
    @Test func nobodyWaitsLongerThanAllPortions() {
        var queue = queue(of: 100)
        queue.append(1_000)
        var rounds = 0
        repeat {
            rounds += 1
            let taken = queue.next()
            for _ in taken { queue.append(0) }
            if taken.contains(1_000) { break }
        } while rounds < 10
        #expect(rounds == 5)
    }

    @Test func allAtOnce() {
        var queue = queue(of: 100)
        #expect(queue.all() == Array(0..<100))
        #expect(queue.count == 0)
    }
}
