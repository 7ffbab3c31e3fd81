import Testing

@testable import CarillonBench

@Suite struct ResultTableTests {
    private func result(_ hub: String, _ cell: String, perSecond: Double, p99: Double, lost: Int = 0) -> CellResult {
        var result = CellResult(hub: hub, cell: cell)
        result.deliveredPerSecond = perSecond
        result.latency = CellResult.Latency(p50: p99 / 2, p90: p99 / 2, p99: p99, p999: p99, max: p99)
        result.lost = lost
        return result
    }

    @Test func showsMediansAndAddsUpFaults() throws {
        let results = [
            result("carillon", "closed", perSecond: 30_000, p99: 3, lost: 1),
            result("carillon", "closed", perSecond: 10_000, p99: 9),
            result("carillon", "closed", perSecond: 20_000, p99: 4, lost: 2),
        ]
        let median = try #require(ResultTable.medians(results).first)
        #expect(median.deliveredPerSecond == 20_000 && median.latency?.p99 == 4 && median.lost == 3)
        #expect(ResultTable.medians(Array(results.prefix(2))).first?.deliveredPerSecond == 20_000)
    }

    @Test func leavesOutWhatNobodyMeasured() {
        let text = ResultTable.text([result("carillon", "closed", perSecond: 12_345, p99: 3)])
        let expected = """
            | cell   | hub      |  per s | lost | p50 ms |  p90 |  p99 | p99.9 | max |
            | ------ | -------- | -----: | ---: | -----: | ---: | ---: | ----: | --: |
            | closed | carillon | 12,345 |    0 |   1.50 | 1.50 | 3.00 |   3.0 | 3.0 |
            """
        #expect(text == expected)
    }

    @Test func comparesSoThatMoreIsBetter() {
        let text = ResultTable.text([
            result("carillon", "closed", perSecond: 30_000, p99: 2),
            result("nchan", "closed", perSecond: 10_000, p99: 5),
        ])
        #expect(text.contains("better than nchan"))
        #expect(text.contains("3.00x") && text.contains("2.50x"))
    }

    @Test func saysWhetherAnythingWentWrong() {
        #expect(result("carillon", "closed", perSecond: 1, p99: 1).isFaultless)
        #expect(!result("carillon", "closed", perSecond: 1, p99: 1, lost: 1).isFaultless)
    }
}

@Suite struct CellTests {
    @Test func everyCellHasANameOfItsOwn() {
        #expect(Set(Cell.all.map(\.name)).count == Cell.all.count)
        for cell in Cell.all { #expect(Cell.named(cell.name)?.summary == cell.summary) }
        #expect(Cell.named("no-such-cell") == nil)
    }
}
