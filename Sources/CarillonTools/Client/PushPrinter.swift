/// One line of text for each thing a person at a terminal wants to see.
package struct PushPrinter: Sendable {
    private let colour: Bool

    package init(colour: Bool) { self.colour = colour }

    /// `2024-01-01T12:00:00Z UNREAD (channel orders) [order-service] Title: message`
    package func push(_ data: JSONValue) -> String {
        var parts: [String] = []
        if let time = data["created_at"]?.scalar { parts.append(style(Printable.line(time), "2")) }
        parts.append(status(data["status"]?.string ?? ""))
        if let topic = data["stream_id"]?.string.flatMap(StreamPositions.topic) {
            parts.append(Printable.line(topic.isEmpty ? "(everybody)" : "(channel \(topic))"))
        }
        if let priority = data["priority"]?.string, priority == "high" || priority == "urgent" {
            parts.append(style(priority.uppercased(), "1;31"))
        }
        if let source = data["source"]?.string, !source.isEmpty { parts.append("[\(Printable.line(source))]") }
        if let title = data["title"]?.string, !title.isEmpty { parts.append(style(Printable.line(title) + ":", "1")) }
        if let message = data["message"]?.string, !message.isEmpty { parts.append(Printable.line(message)) }
        if data["status"]?.string == "auto_cleared", let id = data["notification_id"]?.string {
            parts.append(Printable.line(id))
        }
        return parts.joined(separator: " ")
    }

    private func status(_ status: String) -> String {
        switch status {
        case "unread": style("UNREAD", "1;33")
        case "read": style("READ", "32")
        case "auto_cleared": style("AUTO-CLEARED", "2")
        default: Printable.line(status.uppercased())
        }
    }

    private func style(_ text: String, _ code: String) -> String {
        colour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
