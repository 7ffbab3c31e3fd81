import CarillonTestSupport
import Testing

/// A device that speaks the subprotocol `notifications.v1+json`.
struct NotificationsDevice {
    static let subprotocol = "notifications.v1+json"

    let client: WireClient

    /// Sends an `ack` of this notification.
    func acknowledge(_ id: String) async throws { try await client.send("ack", "{\"notificationId\":\"\(id)\"}") }

    /// Sends a request for what came since; `since` is JSON text, and nil where there is none.
    func requestMissed(since: String?) async throws {
        try await client.send("requestMissedNotifications", since.map { "{\"since\":\($0)}" } ?? "{}")
    }

    /// The next notification, with the status that must follow it at once. - Returns: the data of the notification.
    func notification(_ status: String = "delivered") async throws -> WireJSON {
        let data = try await client.expect("notification")
        let told = try await client.expect("notificationStatus")
        #expect(told["notificationId"] == data["id"])
        #expect(told["status"]?.string == status)
        #expect(instant(told["timestamp"]?.string) != nil)
        return data
    }

    /// The next message, which must say that the notification stands so.
    func status(_ status: String, of id: String?) async throws {
        let told = try await client.expect("notificationStatus")
        #expect(told["notificationId"]?.string == id)
        #expect(told["status"]?.string == status)
    }

    /// Everything that the hub had to say so far, the replay included: the answer to an `ack` of nothing, which waits for the end of
    /// the replay, closes the collection.
    func messages() async throws -> [WireMessage] {
        let nothing = newUUID()
        try await acknowledge(nothing)
        var messages: [WireMessage] = []
        while true {
            let message = try await client.message(within: .seconds(10))
            if message.data["notificationId"]?.string == nothing { return messages }
            messages.append(message)
        }
    }
}

extension Pod {
    /// Opens a WebSocket that speaks the subprotocol, and leaves all messages to be read.
    func notificationsDevice(_ user: TestUser, _ query: String = "") async throws -> NotificationsDevice {
        let http = try http()
        let offer = [("Sec-WebSocket-Protocol", "chat, \(NotificationsDevice.subprotocol)")]
        let headers = WireClient.handshakeHeaders + offer
        let answer = try await http.request("GET", "/ws?\(user.query)\(query)", headers: headers)
        #expect(answer["Sec-WebSocket-Protocol"] == NotificationsDevice.subprotocol)
        return NotificationsDevice(client: try WireClient(upgraded: http, by: answer))
    }
}

extension [WireMessage] {
    /// The notifications among them, as their messages.
    var notifications: [String] { filter { $0.type == "notification" }.compactMap { $0.data["message"]?.string } }
    var statuses: [String] { filter { $0.type == "notificationStatus" }.compactMap { $0.data["status"]?.string } }
}
