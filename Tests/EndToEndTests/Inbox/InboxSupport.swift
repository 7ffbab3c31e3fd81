import CarillonTestSupport
import Testing

extension Pod {
    private static let jsonHeader = [("Content-Type", "application/json")]

    /// A call of the user's inbox; `path` is what follows `/api/v1/notifications`.
    @discardableResult
    func inbox(
        _ user: TestUser,
        _ method: String = "GET",
        _ path: String = "",
        query: String = "",
        body: String? = nil,
        base: String = "/api/v1/notifications"
    ) async throws -> WireResponse {
        let target = "\(base)\(path)?\(user.query)\(query)"
        guard let body else { return try await http().request(method, target) }
        return try await http().request(method, target, headers: Self.jsonHeader, body: Array(body.utf8))
    }

    /// The same, which must succeed. - Returns: the answer's document.
    @discardableResult
    func inboxDocument(
        _ user: TestUser,
        _ method: String = "GET",
        _ path: String = "",
        query: String = "",
        body: String? = nil
    ) async throws -> WireJSON {
        let answer = try await inbox(user, method, path, query: query, body: body)
        try #require(answer.status == 200, "\(method) \(path): \(answer.status) \(answer.text)")
        return try answer.json
    }

    /// The ids of a listing, newest first.
    func inboxIDs(_ user: TestUser, _ query: String = "") async throws -> [String] {
        let rows = try await inboxDocument(user, query: query)["notifications"]?.array ?? []
        return rows.compactMap { $0["id"]?.string }
    }

    func unreadCount(_ user: TestUser) async throws -> String? {
        try await inboxDocument(user, "GET", "/unread-count")["unread_count"]?.numberText
    }

    /// Starts a poll, does something once the pod knows of it, and takes the answer.
    func poll(
        _ user: TestUser,
        _ query: String,
        headers: [(String, String)] = [],
        while body: () async throws -> Void
    ) async throws -> WireResponse {
        func isKnown() async throws -> Bool { try await redis("EXISTS", "notif:conn:\(user.key)").int == 1 }
        try await wait(until: "nobody waits") { try await !isKnown() }
        async let answer = http().request("GET", "/api/v1/notifications?\(user.query)\(query)", headers: headers)
        try await wait(until: "somebody waits") { try await isKnown() }
        try await body()
        return try await answer
    }
}
