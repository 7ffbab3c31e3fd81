import Foundation

/// Lines over one axis of time, as an SVG that needs nothing but itself: panels one below the other, thin vertical marks through
/// all of them, and a word on each mark for whoever points at it.
///
/// It brings its own background and colours for light and dark surroundings.
package struct Chart: Sendable {
    package struct Line: Sendable {
        package let name: String
        /// Which of the colours; lines of one name and colour share their place in the legend.
        package let colour: Int
        package let isDashed: Bool
        package let points: [Point]

        package init(_ name: String, colour: Int, isDashed: Bool = false, _ points: [Point]) {
            self.name = name
            self.colour = colour
            self.isDashed = isDashed
            self.points = points
        }
    }

    package struct Panel: Sendable {
        package let title: String
        package let unit: String
        package let axis: Axis
        package let lines: [Line]

        package init(_ title: String, unit: String, axis: Axis = .fromZero, _ lines: [Line]) {
            self.title = title
            self.unit = unit
            self.axis = axis
            self.lines = lines
        }
    }

    package enum Axis: Sendable {
        case fromZero
        /// From about the smallest value on, to see small changes of large values.
        case fromSmallest
        /// By powers of ten.
        case logarithmic
    }

    package struct Mark: Sendable {
        package let name: String
        package let begin: Double
        package let end: Double

        package init(_ name: String, begin: Double, end: Double) {
            self.name = name
            self.begin = begin
            self.end = end
        }
    }

    package var title: String
    package var subtitle: String
    /// Length of the axis of time.
    package var seconds: Double
    package var panels: [Panel]
    package var marks: [Mark]
    /// Moments at which something else begins, with its name.
    package var phases: [(name: String, second: Double)]

    package init(
        title: String,
        subtitle: String,
        seconds: Double,
        panels: [Panel],
        marks: [Mark] = [],
        phases: [(name: String, second: Double)] = []
    ) {
        self.title = title
        self.subtitle = subtitle
        self.seconds = max(1, seconds)
        self.panels = panels
        self.marks = marks
        self.phases = phases
    }

    // MARK: - Places

    private static let width = 960.0
    private static let left = 64.0
    private static let right = 20.0
    private static let head = 62.0
    private static let panelHeight = 128.0
    private static let panelGap = 46.0
    private static let foot = 40.0
    /// A line is broken where nothing is known for so long.
    private static let longestGap = 4.0
    /// Points of a line; more would only be bytes.
    private static let pointsPerLine = 700

    private var plotWidth: Double { Self.width - Self.left - Self.right }
    private var height: Double {
        Self.head + Double(panels.count) * (Self.panelHeight + Self.panelGap) + Self.foot - 20
    }

    private func x(_ second: Double) -> Double { Self.left + plotWidth * min(max(second, 0), seconds) / seconds }

    private func top(_ panel: Int) -> Double { Self.head + 22 + Double(panel) * (Self.panelHeight + Self.panelGap) }

    private var bottom: Double { top(panels.count - 1) + Self.panelHeight }

    // MARK: - The document

    package var svg: String {
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(text(Self.width)) \(text(height))\" role=\"img\" "
                + "aria-label=\"\(Self.escaped(title))\">",
            Self.style,
            "<rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"8\"/>",
            "<text class=\"title\" x=\"\(text(Self.left))\" y=\"26\">\(Self.escaped(title))</text>",
            "<text x=\"\(text(Self.left))\" y=\"45\">\(Self.escaped(subtitle))</text>",
        ]
        parts += marks.map(draw)
        for phase in phases { parts.append(draw(phase.name, at: phase.second)) }
        for (number, panel) in panels.enumerated() { parts += draw(panel, number) }
        for second in Self.timeTicks(seconds) {
            parts.append(
                "<text class=\"middle\" x=\"\(text(x(second)))\" y=\"\(text(bottom + 17))\">\(Self.minutes(second))</text>"
            )
        }
        parts.append(
            "<text class=\"middle\" x=\"\(text(Self.left + plotWidth / 2))\" y=\"\(text(bottom + 36))\">time, min:s</text>"
        )
        return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private static let style = """
        <style>
        svg { --ground: #ffffff; --ink: #24292f; --soft: #656d76; --grid: #d8dee4; --mark: #57606a;
          --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; --c4: #bf3989; }
        @media (prefers-color-scheme: dark) {
          svg { --ground: #0d1117; --ink: #e6edf3; --soft: #9198a1; --grid: #2b313a; --mark: #8b949e;
            --c0: #58a6ff; --c1: #f0883e; --c2: #3fb950; --c3: #bc8cff; --c4: #f778ba; }
        }
        .ground { fill: var(--ground); }
        text { font: 11px system-ui, sans-serif; fill: var(--soft); paint-order: stroke; stroke: var(--ground); stroke-width: 3px; }
        .title { font-size: 15px; font-weight: 600; fill: var(--ink); }
        .name { font-weight: 600; fill: var(--ink); }
        .middle { text-anchor: middle; }
        .end { text-anchor: end; }
        .grid { stroke: var(--grid); stroke-width: 1; }
        .mark { fill: var(--mark); fill-opacity: .16; }
        .mark:hover { fill-opacity: .45; }
        .moment { stroke: var(--mark); stroke-width: 1; stroke-opacity: .6; }
        .phase { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 2 4; }
        path { fill: none; stroke-width: 1.4; stroke-linejoin: round; }
        .dashed { stroke-dasharray: 5 3; }
        .c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); }
        .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); }
        </style>
        """

    private func draw(_ panel: Panel, _ number: Int) -> [String] {
        let scale = Scale(panel.lines.flatMap { $0.points.map(\.value) }, panel.axis)
        let top = top(number)
        func y(_ value: Double) -> Double { top + Self.panelHeight * (1 - scale.share(value)) }
        var parts = [
            "<text class=\"name\" x=\"\(text(Self.left))\" y=\"\(text(top - 9))\">"
                + "\(Self.escaped(panel.title)), \(Self.escaped(panel.unit))</text>"
        ]
        parts += legend(panel, y: top - 9)
        for second in Self.timeTicks(seconds) {
            parts.append(
                "<line class=\"grid\" x1=\"\(text(x(second)))\" x2=\"\(text(x(second)))\" y1=\"\(text(top))\" "
                    + "y2=\"\(text(top + Self.panelHeight))\"/>"
            )
        }
        for tick in scale.ticks {
            parts.append(
                "<line class=\"grid\" x1=\"\(text(Self.left))\" x2=\"\(text(Self.left + plotWidth))\" y1=\"\(text(y(tick)))\" "
                    + "y2=\"\(text(y(tick)))\"/>"
            )
            parts.append(
                "<text class=\"end\" x=\"\(text(Self.left - 7))\" y=\"\(text(y(tick) + 4))\">\(Scale.label(tick))</text>"
            )
        }
        for line in panel.lines {
            let points = line.points.thinned(to: Self.pointsPerLine).filter { scale.holds($0.value) }
            let classes = "c\(line.colour % 5)" + (line.isDashed ? " dashed" : "")
            guard !points.isEmpty else { continue }
            parts.append("<path class=\"\(classes)\" d=\"\(path(points, y))\"/>")
        }
        return parts
    }

    /// Right-bound, so that titles of any length leave it its room.
    private func legend(_ panel: Panel, y: Double) -> [String] {
        var entries: [Line] = []
        for line in panel.lines where !entries.contains(where: { $0.name == line.name && $0.colour == line.colour }) {
            entries.append(line)
        }
        var end = Self.left + plotWidth
        return entries.reversed().flatMap { line -> [String] in
            let start = end - Double(line.name.count) * 6.2
            defer { end = start - 44 }
            let classes = "c\(line.colour % 5)" + (line.isDashed ? " dashed" : "")
            return [
                "<path class=\"\(classes)\" d=\"M\(text(start - 26)) \(text(y - 4))h20\"/>",
                "<text x=\"\(text(start))\" y=\"\(text(y))\">\(Self.escaped(line.name))</text>",
            ]
        }
    }

    private func path(_ points: [Point], _ y: (Double) -> Double) -> String {
        // Where points were thinned they lie further apart.
        let step =
            points.count > 1 ? (points[points.count - 1].second - points[0].second) / Double(points.count - 1) : 0
        var path = ""
        var last = -Double.infinity
        for point in points {
            let isFirst = point.second - last > max(Self.longestGap, 3 * step)
            path += "\(isFirst ? "M" : "L")\(text(x(point.second))) \(text(y(point.value)))"
            last = point.second
        }
        return path
    }

    private func draw(_ mark: Mark) -> String {
        let begin = text(x(mark.begin))
        let width = text(max(3, x(mark.end) - x(mark.begin)))
        return "<g><title>\(Self.escaped(mark.name))</title><rect class=\"mark\" x=\"\(begin)\" y=\"\(text(top(0)))\" "
            + "width=\"\(width)\" height=\"\(text(bottom - top(0)))\"/>\(upright("moment", at: mark.begin))</g>"
    }

    private func draw(_ phase: String, at second: Double) -> String {
        "<g><title>\(Self.escaped(phase))</title>\(upright("phase", at: second))</g>"
    }

    /// A line through all panels.
    private func upright(_ name: String, at second: Double) -> String {
        let x = text(x(second))
        return "<line class=\"\(name)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(text(top(0)))\" y2=\"\(text(bottom))\"/>"
    }

    // MARK: - Text

    private func text(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : String(format: "%.1f", Double(tenths) / 10)
    }

    package static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            // XML knows no other control characters, escaped or not.
            case "\n", "\t": escaped.unicodeScalars.append(character)
            case let control where control.value < 0x20 || control.value == 0xfffe || control.value == 0xffff:
                escaped += "?"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    /// Such as `7:30`.
    static func minutes(_ second: Double) -> String {
        let second = Int(second)
        return "\(second / 60):\(second % 60 < 10 ? "0" : "")\(second % 60)"
    }

    /// Eight to sixteen round moments.
    static func timeTicks(_ seconds: Double) -> [Double] {
        let steps = [1.0, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600]
        let step = steps.first { seconds / $0 <= 16 } ?? 7_200
        return Array(stride(from: 0, through: seconds, by: step))
    }
}
