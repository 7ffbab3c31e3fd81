/// The bounds that the contract states. What an operator may change is in `NotifyLimits` instead.
package enum Limits {
    package static let loginBytes = 64
    package static let textIDBytes = 128
    package static let targets = 1_000
    package static let sourceBytes = 128
    package static let typeBytes = 128
    package static let channelBytes = 128
    package static let titleBytes = 1_024
    package static let idempotencyKeyBytes = 255
    /// 15 days, the longest retention there is.
    package static let ttlSeconds = 1...1_296_000
    package static let retentionDays = 1...15
    /// Of users who have set none.
    package static let defaultRetentionDays = 15
    package static let syncEntries = 1...100
    package static let syncDefault = 50
    /// Of payloads, after which a page of a replay ends; the next one follows when the socket has taken it.
    package static let pageBytes = 262_144
    /// Of payloads, after which the answer to a `sync.request` ends.
    package static let syncBytes = 1_048_576
    /// Of payloads, after which a page of `pending` ends.
    package static let pendingBytes = 16_777_216
    /// Pairs that one `notification.read` frame may name.
    package static let readsPerFrame = 100
    /// Entries that are replayed on connect whether they were read or not.
    package static let replayEntries = 100
    /// Arrays and objects inside one another before a document is refused.
    package static let jsonDepth = 64
    /// Requests that may wait for news on one pod.
    package static let inboxWatches = 4_096
    package static let adminRows = 10_000
    package static let collapseKeyBytes = 128
    /// Of what a listing is searched for.
    package static let searchBytes = 256
    /// Types or channels that one filter names.
    package static let filterWords = 32
    /// How far ahead something can be snoozed: as long as anything is kept.
    package static let snoozeSeconds = 1_296_000
    /// Characters of an id that another program may have written into a stream (ours are 36).
    package static let notificationIDBytes = 128
    /// Topics that one user is subscribed to.
    package static let subscriptions = 100
    /// Topics that one `subscribe` or `unsubscribe` frame, or a query, names.
    package static let channelsPerFrame = 100
    /// Without a notification a topic is forgotten after so long, and a user's subscriptions without a sign of him.
    package static let topicSeconds = 1_296_000
}

/// The bounds of a notify request that are settings.
package struct NotifyLimits: Sendable {
    /// `MAX_MESSAGE_BYTES`: longest `message` and longest `data`, in bytes of UTF-8.
    package var messageBytes = 262_144
    /// `MAX_BODY_BYTES`: longest request body.
    package var bodyBytes = 1_048_576
    /// `USER_IDS`.
    package var userIDs = UserIDKind.int

    package init() {}
}
