internal import CarillonLoad

/// How devices and backends talk to a hub: all that differs between Carillon and its rivals under the same load.
struct HubWire: Sendable {
    /// When a connection counts as ready.
    enum Ready: Sendable {
        /// With the answer to the handshake.
        case upgraded
        /// With the first frame that holds this text.
        case frame(StaticString)
    }

    /// How a device that comes back says what it has.
    enum Resume: Sendable {
        /// `since` and `epoch`, from `session.ready` and each push.
        case carillon
        /// `last_event_id`, from the line before each message of the subprotocol `ws+meta.nchan`.
        case nchan
    }

    /// How messages are published.
    enum Publishing: Sendable {
        /// A POST for each message, answered 2xx.
        case http(path: Template, body: Template)
        /// Lines over TCP: what is said first, what publishes, and the text of a line that says it is stored.
        case lines(hello: Template, publish: Template, answer: StaticString)
    }

    /// Where devices connect; several pods get them in turns.
    var subscribers: [LoadAddress]
    /// Where messages are published.
    var publishers: [LoadAddress]
    /// Request target of the handshake.
    var target: Template
    /// Further lines of the handshake, each with its end.
    var headers = ""
    /// The first frame of a device.
    var hello: Template?
    var sendsBinary = false
    var ready = Ready.upgraded
    /// Asks whether a connection lives, and what answers that; for devices and publishers.
    var liveness: (question: StaticString, answer: StaticString)?
    var resume: Resume?
    var publishing: Publishing
}
