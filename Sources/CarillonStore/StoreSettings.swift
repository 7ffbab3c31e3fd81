/// What the store has to know; see the settings of the same names.
package struct StoreSettings: Sendable {
    package var podID: String
    /// Names this process among all that ever ran under the pod's id.
    package var runID: String
    /// `NOTIFICATION_TTL` in seconds.
    package var notificationTTLSeconds = 900
    /// `STREAM_MAXLEN`: entries of a user that are kept and read.
    package var streamMaxLength = 100
    /// `NOTIFY_WAIT_REPLICAS`: so many replicas must have a notification before it counts as stored.
    package var waitReplicas = 0
    /// `LOCK_TTL` in seconds; presence lives as long.
    package var lockTTLSeconds = 60
    /// `BUS_MAXLEN`: entries that a pod's bus holds before the oldest go.
    package var busMaxLength = 10_000

    package init(podID: String, runID: String) {
        self.podID = podID
        self.runID = runID
    }

    /// An answer is kept for a day.
    static let idempotencySeconds = 86_400
    /// How long a pod may take over a keyed request before another may resume it.
    static let idempotencyLeaseMilliseconds = 5_000
}
