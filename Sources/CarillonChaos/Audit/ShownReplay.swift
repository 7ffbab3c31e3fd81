internal import CarillonDomain
internal import CarillonTestSupport

/// What a new device of a user was shown.
struct ShownReplay {
    private struct Push: Equatable {
        let streamID: String
        let id: String
        let status: String
    }

    private var pushes: [Push] = []
    private var unreadCount = 0
    private var lastStreamID = ""
    private var topics: [String: String] = [:]

    /// Connects as a new device and takes the replay.
    ///
    /// - Throws: `WireError` where the replay does not end within 10 seconds.
    static func fetch(_ user: FleetUser, port: Int) async throws -> ShownReplay {
        let client = try await WireClient.connect(port: port, "/ws?user_id=\(user.id)&login=\(user.login)")
        var replay = ShownReplay()
        while true {
            let message = try await client.message(within: .seconds(10))
            switch message.type {
            case "notification.push":
                let push = Push(
                    streamID: message.data["stream_id"]?.string ?? "",
                    id: message.data["notification_id"]?.string ?? "",
                    status: message.data["status"]?.string ?? ""
                )
                replay.pushes.append(push)
            case "session.ready":
                replay.unreadCount = message.data["unread_count"]?.int ?? -1
                replay.lastStreamID = message.data["last_stream_id"]?.string ?? ""
                replay.topics = (message.data["topics"]?.object ?? [:]).compactMapValues(\.string)
                return replay
            default: break
            }
        }
    }

    /// What differs from the last hundred entries of each stream and the older unread ones, in words; empty where nothing does.
    func differences(from inbox: InboxContents) -> [String] {
        let expected = inbox.replayed.map { entry in
            Push(streamID: entry.place.text, id: entry.id, status: entry.isRead ? "read" : "unread")
        }
        var differences: [String] = []
        if let difference = firstDifference(of: pushes, from: expected) {
            differences.append("\(pushes.count) entries instead of \(expected.count); \(difference)")
        }
        if unreadCount != inbox.unreadCount {
            differences.append("unread_count \(unreadCount) instead of \(inbox.unreadCount)")
        }
        if let last = inbox.lastID(of: nil), last.text != lastStreamID {
            differences.append("last_stream_id \(lastStreamID) instead of \(last)")
        }
        for topic in inbox.topics {
            guard let last = inbox.lastID(of: topic), topics[topic.name] != last.text else { continue }
            differences.append("@\(topic.name) at \(topics[topic.name] ?? "nothing") instead of \(last)")
        }
        return differences
    }
}
