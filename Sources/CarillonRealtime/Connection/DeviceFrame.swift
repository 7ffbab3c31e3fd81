package import CarillonDomain
package import NIOCore

/// What devices of a user are told at once: written once for all WebSockets, and once more when the first event stream wants it.
///
/// A struct that is handed on by reference, so that a push allocates nothing but its bytes.
package struct DeviceFrame {
    /// A whole text frame.
    package let webSocket: ByteBuffer
    /// What an event stream remembers as the last that it was given.
    private let id: StreamID?
    private var event: ByteBuffer?

    /// - Parameter json: Writes `{"type": …, "data": …}` as `ServerFrame` does.
    package init(id: StreamID? = nil, _ json: (inout ByteBuffer) -> Void) {
        webSocket = WebSocketFrame.text(json)
        self.id = id
    }

    /// The same as an event.
    mutating func eventStream() -> ByteBuffer {
        if let event { return event }
        let made = EventStreamFrame.event(ofWebSocketFrame: webSocket, id: id)
        event = made
        return made
    }
}
