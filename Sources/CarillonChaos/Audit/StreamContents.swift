internal import CarillonDomain
internal import CarillonLoad
internal import CarillonTestSupport

/// What Redis holds of one user's stream, or of a topic's, read the way any other program would.
///
/// - Source: Redis commands XRANGE, HGETALL, XPENDING
struct StreamContents {
    struct Entry {
        let streamID: StreamID
        /// The field `nid` as it stands.
        let id: String
    }

    private static let pageSize = 1_000

    private(set) var entries: [Entry] = []
    /// Ids that are marked as read.
    private(set) var read: Set<String> = []
    /// Entries that the consumer group holds as handed out and not read.
    private(set) var pending: Set<StreamID> = []

    /// - Throws: `WireError` where Redis does not answer, or with another kind of key than there should be.
    static func read(_ user: FleetUser, from redis: WireRedis) async throws -> StreamContents {
        let stream = "stream:user:\(user.key)"
        var contents = StreamContents()
        contents.entries = try await entries(of: stream, redis)
        let state = try await redis(["HGETALL", "notification_state:\(user.key)"]).pairs
        contents.read = Set(state.filter { $0.value.string == "read" }.keys)
        contents.pending = try await pending(stream, redis)
        return contents
    }

    static func read(_ topic: Topic, from redis: WireRedis) async throws -> StreamContents {
        var contents = StreamContents()
        contents.entries = try await entries(of: "notif:topic:\(topic.name)", redis)
        return contents
    }

    private static func entries(of stream: String, _ redis: WireRedis) async throws -> [Entry] {
        var entries: [Entry] = []
        var next = "-"
        while true {
            let page = try await redis(["XRANGE", stream, next, "+", "COUNT", "\(pageSize)"]).array
            for entry in page {
                let parts = entry.array
                guard parts.count == 2, let streamID = parts[0].string.flatMap({ StreamID($0) }) else { continue }
                let id = parts[1].pairs["nid"]?.string ?? ""
                entries.append(Entry(streamID: streamID, id: id))
            }
            guard page.count == pageSize, let last = entries.last else { return entries }
            next = last.streamID.successor.text
        }
    }

    private static func pending(_ stream: String, _ redis: WireRedis) async throws -> Set<StreamID> {
        var pending: Set<StreamID> = []
        var next = "-"
        while true {
            let page: [WireReply]
            do {
                page = try await redis(["XPENDING", stream, "notifications", next, "+", "\(pageSize)"]).array
            } catch WireError.unexpected(let what) where what.contains("NOGROUP") {
                return pending
            }
            let ids = page.compactMap { $0.array.first?.string }.compactMap { StreamID($0) }
            pending.formUnion(ids)
            guard page.count == pageSize, let last = ids.last else { return pending }
            next = last.successor.text
        }
    }

    /// Entries that are marked as read and still pending: the mirror that is to be kept repaired, and is not.
    var readButPending: [Entry] { entries.filter { read.contains($0.id) && pending.contains($0.streamID) } }
}
