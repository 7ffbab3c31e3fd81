package import CarillonDomain
package import NIOCore

/// A stream entry and the notification that it names.
package struct LoadEntry: Hashable, Sendable {
    package let id: LoadUUID
    package let place: EntryPlace

    package var streamID: StreamID { place.streamID }
    /// Nil in the user's own stream.
    package var topic: Topic? { place.topic }

    package init(id: LoadUUID, streamID: StreamID, topic: Topic? = nil) {
        self.id = id
        place = EntryPlace(streamID, in: topic)
    }
}

/// How a push says that its entry stands.
package enum PushStatus: Sendable {
    case unread
    case read
    case autoCleared
}

/// A `notification.push`.
package struct LoadPush: Sendable {
    package let entry: LoadEntry
    /// The text as it came, JSON escapes included: a slice of what was read, so nobody should keep it.
    package let message: ByteBuffer
    package let status: PushStatus
}

/// A `session.ready`: the replay is over.
package struct LoadReady: Sendable {
    package let unreadCount: Int
    package let lastStreamID: StreamID
    /// How far the device has been told of each topic.
    package let topics: [Topic: StreamID]
    package let epoch: String
}

/// An `error` of the server about a frame of the device.
package struct LoadErrorFrame: Sendable {
    package let code: String
    package let detail: String
    package let entry: LoadEntry?

    package init(code: String, detail: String, entry: LoadEntry?) {
        self.code = code
        self.detail = detail
        self.entry = entry
    }
}

/// How a device's connection ended.
package enum LoadClose: Sendable {
    /// The server said close, first or as the answer to the device's own; 1005 where it gave no code.
    case closed(code: UInt16, reason: String)
    /// The handshake was answered with another status than 101.
    case refused(status: Int, retryAfterSeconds: Int?)
    /// The connection was not made, or broke.
    case lost(LoadError)
    /// The server broke the protocol; the device left.
    case violated(LoadError)
    /// The device went away without a handshake.
    case dropped
}

/// Hears everything that happens to devices.
///
/// - Isolation: the devices' event loop
package protocol LoadDeviceObserver: AnyObject {
    /// The handshake succeeded; the replay follows.
    func opened(_ device: LoadDevice)
    func pushed(_ device: LoadDevice, _ push: LoadPush)
    func readAcknowledged(_ device: LoadDevice, _ entry: LoadEntry)
    func autoCleared(_ device: LoadDevice, _ entry: LoadEntry)
    func ready(_ device: LoadDevice, _ ready: LoadReady)
    /// A `subscribe.ack`: these are all the user's channels.
    func subscribed(_ device: LoadDevice, _ channels: Set<Topic>)
    func failed(_ device: LoadDevice, _ error: LoadErrorFrame)
    /// The connection is gone, or was never made. Said once, and nothing follows.
    func closed(_ device: LoadDevice, _ close: LoadClose)
}
