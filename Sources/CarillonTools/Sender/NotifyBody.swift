/// One addressee as it stands on the command line: `1:alice`.
package struct Target: Hashable, Sendable {
    /// As JSON: digits stay digits, whatever their number; anything else is a string.
    let id: String
    let login: String

    /// - Throws: `UsageError` where there is no colon, or nothing before or after it.
    package init(_ text: String) throws(UsageError) {
        guard let colon = text.lastIndex(of: ":") else {
            throw UsageError("\(Printable.line(text)) is no user: write ID:LOGIN, such as 1:alice")
        }
        try self.init(id: String(text[..<colon]), login: String(text[text.index(after: colon)...]))
    }

    package init(id: String, login: String) throws(UsageError) {
        guard !id.isEmpty, !login.isEmpty else { throw UsageError("a user needs an id and a login, such as 1:alice") }
        let isNumber = id.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !isNumber || id == "0" || !id.hasPrefix("0") else {
            throw UsageError("\(id) is no id: a number does not start with 0")
        }
        self.id = isNumber ? id : JSONValue.quoted(id)
        self.login = login
    }

    var json: String { "{\"id\":\(id),\"login\":\(JSONValue.quoted(login))}" }
}

/// Whom a notification is for.
package enum Recipients: Hashable, Sendable {
    case users([Target])
    /// All who have subscribed to the channel.
    case channel(String)
    case everybody

    /// As a member of the request.
    fileprivate var json: String {
        switch self {
        case .users(let users): "\"target\":[\(users.map(\.json).joined(separator: ","))]"
        case .channel(let name): "\"audience\":{\"channel\":\(JSONValue.quoted(name))}"
        case .everybody: "\"audience\":{\"all\":true}"
        }
    }
}

/// The body of `POST /api/v1/notify`, made of what the command line says.
package struct NotifyBody: Sendable {
    package var recipients: Recipients
    package var message: String
    package var source: String?
    package var title: String?
    package var type: String?
    package var channel: String?
    package var priority: String?
    /// A JSON object.
    package var data: String?
    package var ttlSeconds: Int?

    package init(to recipients: Recipients, message: String) {
        self.recipients = recipients
        self.message = message
    }

    /// - Throws: `UsageError` where `data` is no JSON object.
    package func json() throws(UsageError) -> [UInt8] {
        var text = "{\(recipients.json),\"message\":\(JSONValue.quoted(message))"
        let members = [
            ("source", source), ("title", title), ("type", type), ("channel", channel), ("priority", priority),
        ]
        for case (let name, let value?) in members { text += ",\"\(name)\":\(JSONValue.quoted(value))" }
        if let data {
            do {
                guard case .object = try JSONValue(parsing: Array(data.utf8)) else {
                    throw UsageError("--data takes a JSON object")
                }
            } catch let error as JSONSyntaxError {
                throw UsageError("--data is \(error)")
            } catch {
                throw UsageError("--data takes a JSON object")
            }
            text += ",\"data\":\(data)"
        }
        if let ttlSeconds { text += ",\"ttl_seconds\":\(ttlSeconds)" }
        return Array((text + "}").utf8)
    }

    /// The body that one line of NDJSON stands for: a whole request goes as it is, and
    /// `{"id":…,"login":…,"message":…}` becomes a request to that one user, its other members kept.
    ///
    /// - Returns: nil for a blank line.
    /// - Throws: `UsageError` for what is neither.
    static func json(line: [UInt8]) throws(UsageError) -> [UInt8]? {
        guard line.contains(where: { $0 > 0x20 }) else { return nil }
        let document: JSONValue
        do { document = try JSONValue(parsing: line) } catch { throw UsageError(error.description) }
        guard case .object(let members) = document else { throw UsageError("not a JSON object") }
        if document["target"] != nil || document["audience"] != nil { return line }
        guard let id = document["id"], let login = document["login"], document["message"] != nil else {
            throw UsageError(
                "neither a notify request (target or audience, message) nor a short form (id, login, message)"
            )
        }
        let rest = members.filter { $0.name != "id" && $0.name != "login" }
            .map { ",\(JSONValue.quoted($0.name)):\($0.value.text)" }
        let text = "{\"target\":[{\"id\":\(id.text),\"login\":\(login.text)}]\(rest.joined())}"
        return Array(text.utf8)
    }
}
