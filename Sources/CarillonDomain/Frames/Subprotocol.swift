/// A set of frames that a client may ask for in its handshake instead of those of `ServerFrame` and `ClientFrame`; the raw value is
/// its name.
///
/// - Source: RFC 6455 §1.9
package enum Subprotocol: String, Sendable {
    /// What it hears is in `NotificationsV1`, what it says in `ClientFrame.parseNotificationsV1`.
    case notificationsV1 = "notifications.v1+json"
}
