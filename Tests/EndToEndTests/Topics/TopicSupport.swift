import CarillonTestSupport
import Testing

extension Pod {
    /// Publishes to a channel, or to everybody, and expects 202. - Returns: the notification's id.
    @discardableResult
    func publish(
        _ channel: String?,
        message: String = "hello",
        members: String = "",
        key: String? = nil
    ) async throws -> String {
        let answer = try await post(publishBody(channel, message, members), key: key)
        try #require(answer.status == 202, "\(answer.status) \(answer.text)")
        return try #require(try answer.json["notification_id"]?.string)
    }

    /// All channels of a user, after subscribing to these.
    @discardableResult
    func subscribe(_ user: TestUser, _ channels: String...) async throws -> [String] {
        var all: [String] = []
        for channel in channels {
            all = try await inboxDocument(user, "PUT", "/channels/\(channel)").channels
        }
        return all
    }
}

/// A notify request for a channel, or for everybody; `members` is further JSON text that starts with a comma.
func publishBody(_ channel: String?, _ message: String = "hello", _ members: String = "") -> String {
    let audience = channel.map { "{\"channel\":\(WireJSON.quoted($0))}" } ?? "{\"all\":true}"
    return "{\"audience\":\(audience),\"message\":\(WireJSON.quoted(message))\(members)}"
}

/// A name that no other test knows.
func newChannel() -> String { "channel.\(newUUID())" }

extension WireJSON {
    var channels: [String] { self["channels"]?.array?.compactMap(\.string) ?? [] }
}
