import CarillonDomain
import CarillonStore
import NIOCore

/// How the members of inbox documents are named.
enum InboxStyle: Sendable {
    /// `/api/v1/notifications`: `unread_count`.
    case snake
    /// `/api/notifications`: `unreadCount`.
    case camel

    func name(_ name: String) -> String {
        guard self == .camel else { return name }
        var words = name.split(separator: "_").map(String.init)
        for index in words.indices.dropFirst() {
            words[index] = words[index].prefix(1).uppercased() + words[index].dropFirst()
        }
        return words.joined()
    }
}

/// A JSON object that is put together member by member; values are JSON already.
struct JSONObject {
    private let style: InboxStyle
    private var text = "{"

    init(_ style: InboxStyle) { self.style = style }

    mutating func set(_ name: String, _ json: String) {
        if text.utf8.count > 1 { text += "," }
        text += "\"\(style.name(name))\":\(json)"
    }

    mutating func set(_ name: String, text value: String) { set(name, JSON.quoted(value)) }
    mutating func set(_ name: String, _ value: Bool) { set(name, value ? "true" : "false") }
    mutating func set(_ name: String, _ value: Int) { set(name, String(value)) }
    /// A time in milliseconds since 1970.
    mutating func set(_ name: String, time: UInt64?) {
        set(name, time.map { "\"\(Timestamp(milliseconds: $0).text)\"" } ?? "null")
    }

    var json: String { text + "}" }
    var buffer: ByteBuffer { ByteBuffer(string: json) }
}

/// The answers of the inbox calls.
enum InboxDocuments {
    static func page(_ page: InboxPage, _ query: InboxQuery, of user: User, _ style: InboxStyle) -> ByteBuffer {
        let items = page.items.map { style == .snake ? item($0, of: user) : camelItem($0) }
        var object = JSONObject(style)
        object.set("notifications", "[\(items.joined(separator: ","))]")
        switch style {
        case .snake:
            object.set("total", page.total)
            object.set("unread_count", page.unreadCount)
            object.set("has_more", page.hasMore)
            if page.hasMore, let last = page.items.last { object.set("next_cursor", text: last.place.text) }
        case .camel:
            var pagination = JSONObject(style)
            pagination.set("page", query.page)
            pagination.set("limit", query.limit)
            pagination.set("total", page.total)
            object.set("pagination", pagination.json)
            object.set("unread_count", page.unreadCount)
        }
        return object.buffer
    }

    static func count(_ count: Int, unread: Int, _ style: InboxStyle) -> ByteBuffer {
        var object = JSONObject(style)
        object.set("count", count)
        object.set("unread_count", unread)
        return object.buffer
    }

    static func single(_ item: InboxItem, of user: User, _ style: InboxStyle) -> ByteBuffer {
        ByteBuffer(string: style == .snake ? self.item(item, of: user) : camelItem(item))
    }

    static func state(_ state: InboxState, message: String, _ style: InboxStyle) -> ByteBuffer {
        var object = answer(message, style)
        object.set("notification_id", text: state.item.entry.notificationID.text)
        object.set("stream_id", text: state.item.place.text)
        object.set("status", text: state.item.status)
        object.set("read", state.item.isRead)
        object.setTimes(of: state.item)
        object.set("unread_count", state.unreadCount)
        return object.buffer
    }

    static func removed(unread: Int, _ style: InboxStyle) -> ByteBuffer {
        var object = answer("Notification deleted successfully", style)
        object.set("unread_count", unread)
        return object.buffer
    }

    static func updated(_ count: Int, unread: Int, message: String, _ style: InboxStyle) -> ByteBuffer {
        var object = answer(message, style)
        object.set("updated_count", count)
        object.set("unread_count", unread)
        return object.buffer
    }

    static func withdrawn(_ id: NotificationID) -> ByteBuffer {
        var object = answer("Notification withdrawn", .snake)
        object.set("notification_id", text: id.text)
        return object.buffer
    }

    /// All channels of a user, after a change with what was done.
    static func channels(_ channels: [String], message: String? = nil, _ style: InboxStyle) -> ByteBuffer {
        var object = message.map { answer($0, style) } ?? JSONObject(style)
        object.set("channels", "[\(channels.map(JSON.quoted).joined(separator: ","))]")
        return object.buffer
    }

    /// A user's retention, after a change with what was done.
    static func retention(_ days: Int, message: String? = nil, _ style: InboxStyle) -> ByteBuffer {
        var object = message.map { answer($0, style) } ?? JSONObject(style)
        object.set("days", days)
        return object.buffer
    }

    static func report(_ report: NotificationReport) -> ByteBuffer {
        switch report {
        case .ofUser(let report): self.report(report)
        case .ofTopic(let report): self.report(report)
        }
    }

    private static func report(_ report: TopicReport) -> ByteBuffer {
        var delivered = JSONObject(.snake)
        delivered.set("devices", report.devices)
        delivered.set("at", time: report.deliveredAt)
        var object = JSONObject(.snake)
        object.set("notification_id", text: report.entry.notificationID.text)
        object.set("audience", report.topic.audienceJSON)
        object.set("stream_id", text: EntryPlace(report.entry.streamID, in: report.topic).text)
        object.set("status", text: report.deliveredAt == nil ? "pending" : "delivered")
        object.set("stored_at", time: report.entry.streamID.milliseconds)
        object.set("expires_at", time: report.expiresAt)
        object.set("delivered", delivered.json)
        object.set("reads", report.reads)
        return object.buffer
    }

    private static func report(_ report: UserReport) -> ByteBuffer {
        let item = report.item
        var delivered = JSONObject(.snake)
        delivered.set("devices", item.receipt.devices)
        delivered.set("at", time: item.receipt.deliveredAt)
        var object = JSONObject(.snake)
        object.set("notification_id", text: item.entry.notificationID.text)
        object.set("target", report.target.json)
        object.set("stream_id", text: item.entry.streamID.text)
        object.set("status", text: item.status)
        object.set("stored_at", time: item.entry.streamID.milliseconds)
        object.set("expires_at", time: report.expiresAt)
        object.set("delivered", delivered.json)
        object.set("read", item.isRead)
        object.set("read_at", time: item.readAt)
        return object.buffer
    }

    private static func answer(_ message: String, _ style: InboxStyle) -> JSONObject {
        var object = JSONObject(style)
        object.set("success", true)
        object.set("message", text: message)
        return object
    }

    // MARK: - Items

    private static func item(_ item: InboxItem, of user: User) -> String {
        let payload = item.payload
        let message = payload.json("message", .string) ?? "\"\""
        let data = payload.json("data", .object)
        let type = payload.json("type", .string) ?? "null"
        var object = JSONObject(.snake)
        object.set("id", text: item.entry.notificationID.text)
        object.set("notification_id", text: item.entry.notificationID.text)
        object.set("stream_id", text: item.place.text)
        object.set("user_id", user.id.json)
        object.set("login", text: user.login)
        object.set("type", type)
        object.set("notification_type", type)
        object.set("title", payload.json("title", .string) ?? "null")
        object.set("message", message)
        object.set("content", data ?? message)
        object.set("channel", payload.json("channel", .string) ?? "null")
        object.set("priority", payload.json("priority", .string) ?? "\"medium\"")
        object.set("source", payload.json("source", .string) ?? "\"\"")
        object.set("data", data ?? "null")
        object.set("status", text: item.status)
        object.set("read", item.isRead)
        object.set("is_read", item.isRead)
        object.setTimes(of: item)
        object.set("created_at", text: item.createdAt)
        object.set("updated_at", text: item.updatedAt)
        return object.json
    }

    /// As clients of `/api/notifications` know it.
    private static func camelItem(_ item: InboxItem) -> String {
        let payload = item.payload
        var object = JSONObject(.camel)
        object.set("id", text: item.entry.notificationID.text)
        object.set("stream_id", text: item.place.text)
        for name in ["type", "title"] { object.set(name, payload.json(name, .string) ?? "null") }
        object.set("message", payload.json("message", .string) ?? "\"\"")
        object.set("channel", payload.json("channel", .string) ?? "null")
        object.set("priority", payload.json("priority", .string) ?? "\"medium\"")
        object.set("status", text: item.status)
        object.set("created_at", text: item.createdAt)
        object.setTimes(of: item)
        object.set("data", payload.json("data", .object) ?? "null")
        return object.json
    }
}

extension JSONObject {
    fileprivate mutating func setTimes(of item: InboxItem) {
        set("read_at", time: item.readAt)
        set("delivered_at", time: item.receipt.deliveredAt)
        set("seen_at", time: item.seenAt)
        set("archived_at", time: item.archivedAt)
        set("snoozed_until", time: item.snoozedUntil)
    }
}

extension InboxItem {
    fileprivate var status: String { isRead ? "read" : receipt.deliveredAt == nil ? "pending" : "delivered" }
    /// Nil where it is unread, and where its time was not written down.
    fileprivate var readAt: UInt64? { isRead ? receipt.readAt : nil }

    fileprivate var createdAt: String {
        payload.text("created_at") ?? Timestamp(milliseconds: entry.streamID.milliseconds).text
    }

    /// The last of its times.
    fileprivate var updatedAt: String {
        let times = [receipt.deliveredAt, readAt, seenAt, archivedAt].compactMap { $0 }
        return times.max().map { Timestamp(milliseconds: $0).text } ?? createdAt
    }
}

extension User {
    fileprivate var json: String {
        var buffer = ByteBuffer()
        writeJSON(into: &buffer)
        return String(buffer: buffer)
    }
}

extension UserID {
    fileprivate var json: String {
        switch self {
        case .number(let number): String(number)
        case .text(let text): JSON.quoted(text)
        }
    }
}
