import CarillonDomain
import CarillonStore
import NIOCore

/// Writes down what became of topics' notifications, behind everything else: what 50 ms gather is one command for each number.
///
/// - Isolation: the event loop
final class TopicReceipts {
    private struct Numbers {
        var devices = 0
        var reads = 0
        let time = Timestamp.nowMilliseconds()
    }

    private unowned let hub: Hub
    private var waiting: [Topic: [NotificationID: Numbers]] = [:]

    private static let window = TimeAmount.milliseconds(50)

    init(hub: Hub) { self.hub = hub }

    func given(_ id: NotificationID, of topic: Topic, to devices: Int) {
        schedule()
        waiting[topic, default: [:]][id, default: Numbers()].devices += devices
    }

    func read(_ read: TopicReference) {
        schedule()
        waiting[read.topic, default: [:]][read.entry.notificationID, default: Numbers()].reads += 1
    }

    private func schedule() {
        guard waiting.isEmpty else { return }
        hub.eventLoop.assumeIsolated().scheduleTask(in: Self.window) { self.write() }
    }

    /// Writes everything that waits.
    func write() {
        for (topic, notifications) in waiting {
            for (id, numbers) in notifications {
                let (devices, reads) = (numbers.devices, numbers.reads)
                hub.store.writeReceipt(id, of: topic, devices: devices, reads: reads, at: numbers.time)
            }
            hub.keepReceipts(of: topic)
        }
        waiting.removeAll()
    }
}

@available(*, unavailable)
extension TopicReceipts: Sendable {}
