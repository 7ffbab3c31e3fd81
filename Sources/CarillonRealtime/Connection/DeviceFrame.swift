package import CarillonDomain
package import NIOCore

/// What devices of a user are told at once: written once for all WebSockets, and once more when the first event stream, or the first
/// device of a subprotocol, wants it.
///
/// A struct that is handed on by reference, so that a push allocates nothing but its bytes.
package struct DeviceFrame {
    /// A whole text frame.
    package let webSocket: ByteBuffer
    /// What an event stream remembers as the last that it was given.
    private let id: StreamID?
    /// The same of all streams, where only this device's frame tells it.
    private let position: String?
    private var event: ByteBuffer?
    private var notifications: ByteBuffer?

    /// An event stream remembers something of it.
    var hasID: Bool { id != nil }

    /// - Parameter json: Writes `{"type": …, "data": …}` as `ServerFrame` does.
    package init(id: StreamID? = nil, position: String? = nil, _ json: (inout ByteBuffer) -> Void) {
        webSocket = WebSocketFrame.text(json)
        self.id = id
        self.position = position
    }

    /// The same as an event.
    ///
    /// - Parameter position: How far the device has been told once it has this frame; nil where it knows only the user's own stream.
    mutating func eventStream(position: String? = nil) -> ByteBuffer {
        if hasID, let position = self.position ?? position {
            return EventStreamFrame.event(ofWebSocketFrame: webSocket, id: .position(position))
        }
        if let event { return event }
        let made = EventStreamFrame.event(ofWebSocketFrame: webSocket, id: id.map { .entry($0) })
        event = made
        return made
    }

    /// The same for devices of the subprotocol `notifications.v1+json`: whole text frames, or nothing where there is no word for it.
    mutating func notificationsV1() -> ByteBuffer {
        if let notifications { return notifications }
        let frames = webSocket.withUnsafeReadableBytes { bytes in
            let json = UnsafeRawBufferPointer(rebasing: bytes[WebSocketFrame.headerLength(of: bytes)...])
            return NotificationsV1.frames(for: json, at: .now())
        }
        var made = ByteBuffer()
        for frame in frames { WebSocketFrame.appendText(to: &made) { $0.writeImmutableBuffer(frame) } }
        notifications = made
        return made
    }
}
