/// Decides which pods are dead, from what their heartbeats look like to this pod.
///
/// A pod is dead when its field has not changed over three seconds of observations that were each answered within half a second,
/// on this pod's monotonic clock. A slower answer starts the count anew: a Redis that stalled for some seconds answers one
/// observer before it has carried out the others' heartbeats. So does a pause between observations: a machine that slept wakes one
/// pod before the others; and a Redis that refused writes takes one pod's heartbeat before the others'.
package struct PodWatch: Sendable {
    private struct Watched {
        var value: String
        var unchangedSince: ContinuousClock.Instant
    }

    private var watched: [String: Watched] = [:]
    private var lastObservation: ContinuousClock.Instant?
    private var isInterrupted = false

    package static let deadAfter = Duration.seconds(3)
    package static let slowestAnswer = Duration.milliseconds(500)
    /// Twice the longest heartbeat interval.
    package static let longestPause = Duration.seconds(4)

    package init() {}

    /// Pods that were seen lately, dead ones left out.
    package var pods: Set<String> { Set(watched.keys) }

    /// An observation failed: the count starts anew with the next one.
    package mutating func interrupted() { isInterrupted = true }

    /// An observation: what each pod's field held.
    ///
    /// - Returns: Pods that this observation shows to be dead or gone; they are forgotten.
    package mutating func observed(
        _ heartbeats: [String: String],
        at now: ContinuousClock.Instant,
        took: Duration
    ) -> [String] {
        let isInterrupted = isInterrupted || lastObservation.map { now - $0 > Self.longestPause } ?? false
        self.isInterrupted = false
        lastObservation = now
        // A field that has gone was removed by a pod that stopped cleanly, or by another observer who was faster.
        var dead = watched.keys.filter { heartbeats[$0] == nil }
        for pod in dead { watched[pod] = nil }
        for (pod, value) in heartbeats {
            guard let known = watched[pod], known.value == value, took <= Self.slowestAnswer, !isInterrupted else {
                watched[pod] = Watched(value: value, unchangedSince: now)
                continue
            }
            if now - known.unchangedSince >= Self.deadAfter {
                dead.append(pod)
                watched[pod] = nil
            }
        }
        return dead.sorted()
    }
}
