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

    let users: [Int]
    let isKeyed: Bool
    /// Index of the first target's notification; the others follow.
    let firstNotification: Int
    let firstSent: NIODeadline
    /// When the try left that was accepted, or the last one.
    var triedAt: NIODeadline
    var acceptedAt: NIODeadline?
    var outcome = Outcome.pending
}

/// What a post is for one of its targets.
struct BookedNotification {
    let post: Int
    let user: Int
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
    /// Stream ids that were pushed on the present connection, ascending.
    var shown: [StreamID] = []
}

struct BookedUser {
    /// Number of devices.
    var devices = 0
    /// Those that were live once.
    var wereLive: UInt64 = 0
}
