import CarillonChaos
import Foundation
import Testing

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite struct ChartTests {
    /// What a parser of XML finds in a document.
    private final class Elements: NSObject, XMLParserDelegate {
        var names: [String: Int] = [:]
        var attributes: [String] = []
        var text = ""

        func parser(
            _ parser: XMLParser,
            didStartElement name: String,
            namespaceURI: String?,
            qualifiedName: String?,
            attributes: [String: String]
        ) {
            names[name, default: 0] += 1
            self.attributes += attributes.values
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
    }

    private func parse(_ svg: String) throws -> Elements {
        let elements = Elements()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = elements
        try #require(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "no error") in:\n\(svg)")
        return elements
    }

    private func chart(
        _ points: [Point],
        _ axis: Chart.Axis = .fromZero,
        marks: [Chart.Mark] = [],
        name: String = "line"
    ) -> Chart {
        let panel = Chart.Panel("Panel of \(name)", unit: "MB", axis: axis, [.init(name, colour: 0, points)])
        return Chart(
            title: "Title",
            subtitle: "Sub",
            seconds: 60,
            panels: [panel],
            marks: marks,
            phases: [("the <end>", 50)]
        )
    }

    private func path(_ chart: Chart) throws -> String {
        try #require(chart.svg.firstMatch(of: /<path class="c0" d="(M[^"]*L[^"]*)"/)).1.description
    }

    @Test func isWellFormed() throws {
        let marks = [Chart.Mark("pod-killed", begin: 10, end: 12), Chart.Mark("calm", begin: 30, end: 30)]
        let elements = try parse(chart([Point(0, 1), Point(60, 2)], marks: marks).svg)
        #expect(elements.names["svg"] == 1 && elements.names["script"] == nil)
        #expect(
            elements.names["title"] == 3 && elements.text.contains("the <end>") && elements.text.contains("pod-killed")
        )
        #expect(elements.text.contains("Panel of line, MB"))
    }

    @Test func namesAreText() throws {
        let name = "a<b>&\"c'</text><script>\u{1}\u{FFFE}é"
        let elements = try parse(
            chart([Point(0, 1), Point(1, 2)], marks: [.init(name, begin: 1, end: 2)], name: name).svg
        )
        #expect(elements.names["script"] == nil)
        #expect(elements.text.contains("a<b>&\"c'</text><script>??é"))
    }

    @Test func nothingIsNoFault() throws {
        _ = try parse(chart([]).svg)
        _ = try parse(chart([], .logarithmic).svg)
        _ = try parse(chart([Point(0, 0), Point(1, 0)]).svg)
        _ = try parse(chart([Point(0, 0), Point(1, 0)], .logarithmic).svg)
    }

    @Test(arguments: [Chart.Axis.fromZero, .fromSmallest, .logarithmic]) func everythingLiesWithin(
        axis: Chart.Axis
    ) throws {
        for scale in [1e-3, 0.7, 1, 9.99, 10, 12_345, 1e7] {
            let points = (0..<60).map { Point(Double($0), scale * (1 + Double($0 * 37 % 60))) }
            let path = try path(chart(points, axis))
            let numbers = path.matches(of: /[ML]([\d.]+) ([\d.]+)/).map { (Double($0.1) ?? 0, Double($0.2) ?? 0) }
            #expect(numbers.count == 60)
            for (x, y) in numbers { #expect(x >= 64 && x <= 940 && y >= 84 && y <= 212, "\(x) \(y) of \(scale)") }
        }
    }

    @Test func smallChangesOfLargeValuesShow() throws {
        let ends = { (path: String) in path.matches(of: /[ML][\d.]+ ([\d.]+)/).compactMap { Double($0.1) } }
        let points = [Point(0, 1_000), Point(1, 1_100)]
        #expect(try abs(ends(path(chart(points)))[0] - ends(path(chart(points)))[1]) < 15)
        #expect(try abs(ends(path(chart(points, .fromSmallest)))[0] - ends(path(chart(points, .fromSmallest)))[1]) > 60)
    }

    /// A zero has no place among powers of ten.
    @Test func logarithmsLeaveZeroOut() throws {
        let points = [Point(0, 1), Point(1, 0), Point(2, 100)]
        #expect(try path(chart(points, .logarithmic)).count { $0 == "L" } == 1)
        #expect(try path(chart(points)).count { $0 == "L" } == 2)
    }

    /// Where nothing is known for more than four seconds, no line says so.
    @Test func gapsAreGaps() throws {
        #expect(try path(chart([Point(0, 1), Point(4, 1), Point(8, 1)])).count { $0 == "M" } == 1)
        let points = (0..<20).map { Point(Double($0), 1) } + [Point(23, 1), Point(28, 1), Point(29, 1)]
        #expect(try path(chart(points)).count { $0 == "M" } == 2)
    }

    @Test func longRunsStaySmall() throws {
        let points = (0..<7_200).map { Point(Double($0) / 120, Double($0 % 97)) }
        #expect(chart(points).svg.utf8.count < 20_000)
    }
}
