/// How a device is connected; the raw value is its name in admin lists.
package enum Transport: String, Sendable {
    case webSocket = "websocket"
    /// Server-sent events.
    case eventStream = "sse"
}
