import CarillonMetrics
package import CarillonStore
import Logging
import ServiceLifecycle

/// Hears what the heartbeat finds out; the hub and the pod's health do.
package protocol PodListener: Sendable {
    /// Redis answered; `others` are the other pods that live, seen by a command that took `age` until now.
    func podsSeen(_ others: Set<String>, age: Duration) async
    /// Pods died; what they held of local users must be taken over.
    func podsDied(_ pods: [String]) async
    func heartbeatFailed() async
    /// Others have taken this pod for dead, or Redis refused its commands for a while: what concerns its users may have passed it
    /// by, and what it says of itself may be gone.
    func mustCatchUp() async
    /// This pod's first heartbeat is in the table; the pods of the last `podsSeen` do not know it yet.
    ///
    /// - Parameter replacesProcess: Another process had the pod's name: it crashed, or runs still.
    func hasJoined(replacesProcess: Bool) async
}

/// Another process runs under this pod's name.
package struct PodIDTaken: Error, CustomStringConvertible {
    package let podID: String

    package var description: String {
        "POD_ID \(podID) was taken by a newer process; this one ends and releases nothing"
    }
}

/// Says every second that this pod lives, and finds the pods that do not.
///
/// - Throws: `PodIDTaken` out of `run` when a newer process has claimed the pod's name.
package struct Heartbeat: Service {
    private let interval: Duration
    private let registry: PodRegistry
    private let listener: any PodListener
    private let context: WorkerContext

    /// Until the first beat has succeeded.
    private static let eagerInterval = Duration.milliseconds(50)

    package init(interval: Duration, registry: PodRegistry, listener: any PodListener, context: WorkerContext) {
        self.interval = interval
        self.registry = registry
        self.listener = listener
        self.context = context
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown { try await beatUntilCancelled() }
    }

    private func beatUntilCancelled() async throws {
        let counters = context.metrics.worker(.heartbeat)
        var watch = PodWatch()
        var hasClaimed = false
        var replacesProcess = false
        var wasKnown = false
        var wasRefused = false
        while !Task.isCancelled {
            do {
                if !hasClaimed {
                    replacesProcess = try await registry.claim()
                    hasClaimed = true
                }
                let isKnown = try await beat(&watch)
                if !wasKnown { await listener.hasJoined(replacesProcess: replacesProcess) }
                if wasKnown && !isKnown || wasRefused { await listener.mustCatchUp() }
                wasRefused = false
                wasKnown = true
            } catch let error as PodIDTaken {
                throw error
            } catch {
                // A lost connection is followed by a new one, which is reason enough to catch up; a refusal by nothing.
                if let error = error as? StoreError, error.code == .refused {
                    wasRefused = true
                    if error.isWrongType { try? await registry.removeForeignTable() }
                }
                watch.interrupted()
                counters.errors.increment()
                await listener.heartbeatFailed()
                context.logger.debug("the heartbeat failed", metadata: ["error": "\(error)"])
            }
            counters.runs.increment()
            try? await Task.sleep(for: wasKnown ? interval : min(interval, Self.eagerInterval))
        }
    }

    /// - Returns: Whether the others still knew this pod.
    private func beat(_ watch: inout PodWatch) async throws -> Bool {
        let started = ContinuousClock.now
        let seen = try await registry.beat()
        if seen.otherOwner != nil { throw PodIDTaken(podID: registry.podID) }
        let now = ContinuousClock.now
        let dead = watch.observed(seen.heartbeats, at: now, took: now - started).filter { $0 != registry.podID }
        await listener.podsSeen(watch.pods.subtracting([registry.podID]), age: ContinuousClock.now - started)
        guard !dead.isEmpty else { return seen.knowsThisPod }
        context.logger.warning("pods are gone", metadata: ["pods": "\(dead.joined(separator: " "))"])
        await listener.podsDied(dead)
        for pod in dead { try await registry.remove(pod) }
        context.metrics.worker(.deadPodCleanup).items.increment(by: dead.count)
        return seen.knowsThisPod
    }
}
