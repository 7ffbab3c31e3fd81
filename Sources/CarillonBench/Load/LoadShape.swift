internal import NIOCore

/// What a load looks like, whichever hub it is for.
struct LoadShape: Sendable {
    /// How fast messages are published.
    enum Pace: Sendable {
        /// As fast as they are delivered: never more than `window` of them under way, so that what comes out is sustained.
        case closed(window: Int)
        /// So many per second, whatever becomes of them. Each is due at its own moment, and its latency counts from there.
        case open(perSecond: Double)
    }

    var connections: Int
    /// Connection `c` belongs to user `c` modulo `users`.
    var users: Int
    /// The users are channels: each connection is a user of its own, subscribed to the channel `c` modulo `users`.
    var isTopics = false
    /// Users that each message is for.
    var targets = 1
    /// Connections that publish, one request under way on each. A user's messages all go through the same one, so that disorder is
    /// the hub's doing.
    var publishers = 256
    var pace = Pace.closed(window: 2_000)
    /// Users are published to in random order; in turns where false.
    var isRandom = false
    var messageBytes = 200
    /// Devices say of each push that it was read.
    var reads = false
    /// Devices remember what they have and say so when they come back. It costs the load something for each push.
    var resumes = false
    /// Handshakes under way.
    var handshakes = 400

    /// Sets of users that get the same messages.
    var groups: Int { users / targets }
}
