internal import CarillonTestSupport
import Foundation

/// The soak as a picture and as a table of numbers.
extension SoakReport {
    package func chart(title: String, subtitle: String) -> Chart {
        let pods = Set(record.lives.map(\.pod)).sorted()
        let memory = record.lives.map { life in
            let points = life.samples.map { Point($0.second, Double($0.status.residentBytes) / 1_048_576) }
            return Chart.Line(life.pod, colour: pods.firstIndex(of: life.pod) ?? 0, points)
        }
        func series(_ value: (LoadSample) -> Double?) -> [Point] {
            record.load.compactMap { sample in value(sample).map { Point(sample.second, $0) } }
        }
        let panels = [
            Chart.Panel("Resident memory of pods", unit: "MB", axis: .fromSmallest, memory),
            Chart.Panel(
                "Latency from post to push",
                unit: "ms",
                axis: .logarithmic,
                [.init("p99", colour: 1, series(\.p99)), .init("p50", colour: 0, series(\.p50))]
            ),
            Chart.Panel(
                "Throughput",
                unit: "per second",
                [
                    .init("deliveries", colour: 0, series(\.deliveriesPerSecond)),
                    .init("posts", colour: 1, series(\.postsPerSecond)),
                ]
            ),
            Chart.Panel(
                "Memory of Redis",
                unit: "MB",
                [.init("used", colour: 3, record.redis.map { Point($0.second, Double($0.usedBytes) / 1_048_576) })]
            ),
        ]
        let last = record.redis.last?.second ?? load.upperBound
        return Chart(
            title: title,
            subtitle: subtitle,
            seconds: max(last, load.upperBound),
            panels: panels,
            marks: events,
            phases: phases
        )
    }

    /// One line for each sample, of whatever was sampled.
    package var samples: String {
        var lines = ["second,what,values"]
        for life in record.lives {
            for (second, status) in life.samples {
                let values = "\(status.residentBytes),\(status.descriptors),\(status.threads)"
                lines.append("\(String(format: "%.2f", second)),\(life.pod)/\(life.id),\(values)")
            }
        }
        for sample in record.load {
            let latency = "\(sample.p50 ?? -1),\(sample.p99 ?? -1)"
            let rates = "\(sample.postsPerSecond),\(sample.deliveriesPerSecond)"
            lines.append("\(String(format: "%.2f", sample.second)),load,\(rates),\(latency)")
        }
        for sample in record.redis {
            let values = "\(sample.usedBytes),\(sample.residentBytes),\(sample.keys),\(sample.clients)"
            lines.append("\(String(format: "%.2f", sample.second)),redis,\(values)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
