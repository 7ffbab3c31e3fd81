import CarillonMetrics
package import CarillonStore
import ServiceLifecycle

/// Tells the devices of a user that a snooze has ended; the hub does.
package protocol SnoozeListener: Sendable {
    func snoozeEnded(_ snooze: UserEntry) async
}

/// Has devices told when what they snoozed is due again; it shows by itself, since each look at it compares the time.
///
/// Its cost follows what is due: one look a second at the beginning of a sorted set, of sixteen in a cluster.
package struct SnoozeWaker: Service {
    private let writer: InboxWriter
    private let listener: any SnoozeListener
    private let worker: PeriodicWorker

    private static let interval = Duration.seconds(1)
    /// Snoozes that one look takes from a sorted set.
    private static let atOnce = 100

    package init(writer: InboxWriter, listener: any SnoozeListener, context: WorkerContext) {
        self.writer = writer
        self.listener = listener
        worker = context.periodic(.snoozeWaker, every: Self.interval)
    }

    package func run() async throws {
        try await worker.run {
            var count = 0
            while true {
                let ended = try await writer.endedSnoozes(limit: Self.atOnce)
                for snooze in ended { await listener.snoozeEnded(snooze) }
                count += ended.count
                if ended.count < Self.atOnce || Task.isCancelled { return count }
            }
        }
    }
}
