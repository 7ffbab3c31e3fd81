import Foundation

/// How long a soak is, what follows from it, and what counts as growth.
package struct SoakPlan: Sendable {
    /// Of the load; before and after it everything is idle.
    package let seconds: Double
    /// Where the chart and the samples are written; nowhere where nil.
    package let folder: String?

    package init(seconds: Double, folder: String? = nil) {
        self.seconds = seconds
        self.folder = folder
    }

    // MARK: - Load

    /// Time without load, to see what nothing costs.
    static let idle = Duration.seconds(4)
    /// No fault begins so late that it would not have healed by the end.
    static let faultReserve = 25.0

    /// Life of payloads: short, so that as much expires as is posted.
    package var payloadSeconds: Int { Int(min(max(seconds / 10, 5), 60)) }

    /// What is posted from here on outlives the audit, and what was posted before has expired until then.
    package var lastingFrom: Double { max(0, seconds - Double(payloadSeconds) - Self.cleaningSeconds) }
    static let lastingSeconds = 900
    /// Time from a payload's end to that of its entry: a slot of ten seconds, and a round of the janitor.
    private static let cleaningSeconds = 15.0

    /// Settings of the pods that let things end within the run, and that keep bounded things small.
    package var settings: [String: String] {
        [
            "NOTIFICATION_TTL": "\(payloadSeconds)s", "TTL_JANITOR_INTERVAL": "1s", "RETENTION_TRIM_INTERVAL": "1s",
            "BUS_MAXLEN": "1000",
        ]
    }

    /// What no setting makes shorter passes on the clocks of Redis and pods, a day at a time: a day for idempotency records, 16 for
    /// topics, 34 behind the last entry for the trimmer's lists.
    static let days = 60
    static let dayLength = Duration.milliseconds(150)

    // MARK: - Bounds

    /// Time until a process has taken what memory its work needs: of the run, and of each process's own.
    package var warmUp: Double { min(360, seconds * 0.4) }

    /// What a fault leaves of a peak, of which an allocator gives nothing back, is in a process's memory by then; a leap is no leak.
    package static let settling = 5.0
    /// Growth of a process's memory along the line fitted between the faults that noise explains. Noise does not add up with time
    /// as a leak does, so longer runs find smaller leaks.
    package static let noiseBytes = 4.0 * 1_048_576
    /// Shorter lives are not judged, as parts of the run.
    package static let shortestLife = 0.2
    /// Memory of Redis beyond what it had: rounding of tables, and buffers of connections.
    package static let redisNoiseBytes = 1_048_576
    package static let descriptorNoise = 2
    /// Threads that a runtime may start when it first needs them.
    package static let threadNoise = 4
    /// Time in which everything must be as it was.
    static let patience = Duration.seconds(120)
}
