package import NIOCore

/// The bounds of a socket. Times are rounded up to whole seconds, which is how often sockets are looked at.
package struct ConnectionSettings: Sendable {
    /// Between two pings of a socket. One that leaves two of them unanswered is closed where the third would go out.
    package var pingInterval = TimeAmount.seconds(25)
    /// From the first byte to the end of the request head.
    package var handshakeTimeout = TimeAmount.seconds(10)
    /// For the peer's answer to a close frame, and for what still has to be written before ours.
    package var closeTimeout = TimeAmount.seconds(2)
    /// Live bytes that may wait for one device before it counts as too slow (1013). It is also the longest frame that
    /// can be sent.
    package var outboxBytes = 1_048_576
    /// Longest message of a device, all fragments together (1009).
    package var maxMessageBytes = 65_536
    /// Longest request head (431).
    package var maxHeadBytes = 16_384
    /// Frames of any kind, control frames and fragments included, that a device may send per second in the long run. At
    /// least 1.
    package var messagesPerSecond = 200
    /// Frames that it may send at once before it is no longer read from. At least 1.
    package var messageBurst = 400
    /// For how long a device may be over its rate before it is closed (4429).
    package var floodTimeout = TimeAmount.seconds(30)

    package init() {}
}

extension TimeAmount {
    var wholeSeconds: Int { Int((nanoseconds + 999_999_999) / 1_000_000_000) }
}
