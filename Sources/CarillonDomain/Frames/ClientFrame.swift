package import NIOCore

/// What a device may say.
package enum ClientFrame: Sendable {
    /// `notification.read`: up to 100 pairs, those of topics by themselves.
    case read([EntryReference], ofTopics: [TopicReference])
    case sync(SyncRequest)
    /// `retention.set`: days that entries are kept.
    case setRetention(days: Int)
    case subscribe([Topic])
    case unsubscribe([Topic])
    /// `ack`: a notification was read, of which only the id is known.
    case acknowledge(NotificationID)
    /// `requestMissedNotifications`: asks for what came since.
    case missed(since: StreamPosition)
}

/// One entry of a topic.
package struct TopicReference: Hashable, Sendable {
    package let topic: Topic
    package let entry: EntryReference

    package init(_ topic: Topic, _ entry: EntryReference) {
        self.topic = topic
        self.entry = entry
    }
}

/// `sync.request`: the newest `limit` entries, between two stream ids where they are given (both exclusive).
package struct SyncRequest: Sendable {
    package var limit = Limits.syncDefault
    package var before: StreamID?
    package var since: StreamID?

    package init() {}
}

/// Why a frame was refused; the connection stays open.
package struct ClientFrameError: Error, Sendable {
    package enum Code: Sendable {
        case malformedJSON
        case unknownType
        case invalidData
        case notFound
        case gone
        case unavailable
        case busy
        /// There is no room for more.
        case limit

        package var name: StaticString {
            switch self {
            case .malformedJSON: "malformed_json"
            case .unknownType: "unknown_type"
            case .invalidData: "invalid_data"
            case .notFound: "not_found"
            case .gone: "gone"
            case .unavailable: "unavailable"
            case .busy: "busy"
            case .limit: "limit"
            }
        }
    }

    package let code: Code
    package let detail: String
    /// The type of the offending frame, where it had one.
    package let type: String?
    /// The pair that was not found.
    package let entry: EntryReference?
    /// Whose entry it is; nil: the user's own.
    package let topic: Topic?

    package init(
        _ code: Code,
        _ detail: String,
        type: String? = nil,
        entry: EntryReference? = nil,
        of topic: Topic? = nil
    ) {
        self.code = code
        self.detail = detail
        self.type = type
        self.entry = entry
        self.topic = topic
    }
}

extension ClientFrame {
    /// Parses one text message.
    package static func parse(_ message: ByteBuffer) throws(ClientFrameError) -> ClientFrame {
        try FrameData.read(message) { (data) throws(ClientFrameError) in
            switch data.type {
            case "notification.read": return try data.references()
            case "sync.request": return .sync(try data.syncRequest())
            case "retention.set": return .setRetention(days: try data.days())
            case "subscribe": return .subscribe(try data.topics())
            case "unsubscribe": return .unsubscribe(try data.topics())
            default: throw data.unknownType
            }
        }
    }
}
