internal import CarillonDomain
internal import CarillonLoad
internal import NIOCore

/// One post, whatever the number of its tries and targets.
struct BookedPost {
    enum Outcome {
        /// Under way, or waiting to be repeated.
        case pending
        case accepted
        /// Refused with an answer that says that nothing was stored, or never sent.
        case refused
        /// It may be stored or not, once at most.
        case unknown
    }

    /// Empty where it is for a topic.
    let users: [Int]
    let topic: Topic?
    let isKeyed: Bool
    /// Index of the first target's notification, or of the topic's; those of the other targets follow.
    let firstNotification: Int
    /// What became of a topic's notification at single users: indexes of notifications, by user.
    var copies: [Int: Int] = [:]
    let firstSent: NIODeadline
    /// Until then no payload may be gone.
    let expires: NIODeadline
    /// When the try left that was accepted, or the last one.
    var triedAt: NIODeadline
    var acceptedAt: NIODeadline?
    var outcome = Outcome.pending
}

/// What a post is for one of its targets, for a topic, or for one user of a topic (a copy).
struct BookedNotification {
    let post: Int
    /// Nil for a topic's.
    let user: Int?
    /// The notification that is stored: the topic's of a copy, else itself. Ids and places are booked there.
    let original: Int
    var id: LoadUUID?
    var streamID: StreamID?
    /// The user's devices that got its push, one bit each.
    var delivered: UInt64 = 0
    /// Devices that must still get it.
    var owed: UInt64 = 0
    var readSaid: NIODeadline?
    var readAcknowledged: NIODeadline?
    /// The answer `not_found` or `gone` came instead of an acknowledgement.
    var isReadRefused = false
    var isStoredTwice = false
}

/// How a device treats the hub; what it does to others is never excused by it.
package enum DeviceConduct: Sendable {
    case normal
    /// It takes nothing from its socket and answers nothing.
    case asleep
    /// It sends more than it may.
    case flooding
}

/// A device over all its connections.
struct BookedDevice {
    let user: Int
    /// Its bit among the user's devices.
    let bit: UInt64
    /// When the attempt began that led to the present connection.
    var connectingAt = NIODeadline.distantPast
    var isLive = false
    var conduct = DeviceConduct.normal
    /// When it last woke.
    var awokeAt = NIODeadline.distantPast
    /// It was live once, so it counts.
    var wasLive = false
    /// When it lost its last connection, and when it was to try again.
    var lostAt: NIODeadline?
    var comesBackAt = NIODeadline.distantPast
    /// It is away for another reason than its own wish.
    var isMissing = false
    /// Stream ids that were pushed on the present connection, ascending, by stream; nil is the user's own.
    var shown: [Topic?: [StreamID]] = [:]
    /// What it was told of the user's channels on the present connection, and when.
    var channels: Set<Topic>?
    var toldChannelsAt = NIODeadline.distantPast
}

struct BookedUser {
    /// Number of devices.
    var devices = 0
    /// Those that were live once.
    var wereLive: UInt64 = 0
    /// Channels that the user has ever had to do with.
    var subscriptions: [Topic: BookedSubscription] = [:]
}

/// What a user has to do with a channel.
struct BookedSubscription {
    /// A time without subscription. It may have begun at `said`, and certainly had at `confirmed`.
    struct Absence {
        let said: NIODeadline
        let confirmed: NIODeadline
        let end: NIODeadline
    }

    /// What was said last; what held before is over.
    var isOn: Bool
    /// When it was said, and the device that said it last.
    var saidAt: NIODeadline
    var saidBy: Int
    /// Nil until the device was told that it is so.
    var confirmedAt: NIODeadline?
    /// When the present subscription was first asked for.
    var beganAt: NIODeadline
    /// Earlier times without.
    var absences: [Absence] = []
}
