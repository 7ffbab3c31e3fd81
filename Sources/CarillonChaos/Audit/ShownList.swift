internal import CarillonDomain
internal import CarillonTestSupport

/// What the list over HTTP says that a user has.
struct ShownList {
    private struct Item: Equatable {
        let streamID: String
        let id: String
        let isRead: Bool
    }

    /// The newest ones are compared one by one, all of them by their number.
    private static let pages = 3
    private static let pageSize = 100

    private var items: [Item] = []
    private var isWhole = false
    private var total = 0
    /// The number as the list says it, and as the call that says nothing else does.
    private var unreadCounts: [Int] = []

    /// - Throws: `WireError` where a pod does not answer as it must.
    static func fetch(_ user: FleetUser, port: Int) async throws -> ShownList {
        let http = try HTTPConnection(port: port)
        let path = "/api/v1/notifications"
        let query = "user_id=\(user.id)&login=\(user.login)"
        var list = ShownList()
        var cursor = ""
        for _ in 0..<pages where !list.isWhole {
            let page = try await get(http, "\(path)?\(query)&limit=\(pageSize)\(cursor)")
            for item in page["notifications"]?.array ?? [] {
                list.items.append(
                    Item(
                        streamID: item["stream_id"]?.string ?? "",
                        id: item["notification_id"]?.string ?? "",
                        isRead: item["read"] == .bool(true)
                    )
                )
            }
            list.total = page["total"]?.int ?? -1
            list.unreadCounts.append(page["unread_count"]?.int ?? -1)
            list.isWhole = page["has_more"] != .bool(true)
            cursor = "&cursor=\(page["next_cursor"]?.string ?? "")"
        }
        let count = try await get(http, "\(path)/unread-count?\(query)")
        list.unreadCounts.append(count["unread_count"]?.int ?? -1)
        return list
    }

    private static func get(_ http: HTTPConnection, _ target: String) async throws -> WireJSON {
        let answer = try await http.request("GET", target)
        guard answer.status == 200 else { throw WireError.unexpected("\(answer.status) to \(target): \(answer.text)") }
        return try answer.json
    }

    /// What differs from what Redis holds, in words; empty where nothing does.
    func differences(from inbox: InboxContents) -> [String] {
        let expected = inbox.entries.reversed().prefix(isWhole ? .max : items.count).map { entry in
            Item(streamID: entry.place.text, id: entry.id, isRead: entry.isRead)
        }
        var differences: [String] = []
        if let difference = firstDifference(of: items, from: expected) { differences.append(difference) }
        if total != inbox.entries.count { differences.append("total \(total) instead of \(inbox.entries.count)") }
        if let count = unreadCounts.first(where: { $0 != inbox.unreadCount }) {
            differences.append("unread_count \(count) instead of \(inbox.unreadCount)")
        }
        return differences
    }
}
