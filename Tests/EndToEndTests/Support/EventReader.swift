import CarillonTestSupport
import Testing

/// One event of a stream, as a browser would take it apart.
struct StreamEvent: Sendable {
    let type: String
    /// What stood in its own `id:`; nil where there was none.
    let id: String?
    let data: WireJSON
}

/// A client of `/api/v1/stream` that reads line by line and remembers what a browser remembers.
///
/// - Isolation: the task that made it
final class EventReader {
    let connection: HTTPConnection
    let status: Int
    let headers: [(name: String, value: String)]
    private(set) var lastEventID: String
    private(set) var retry: Int?
    private(set) var comments = 0

    /// Sends the request and reads the answer's head.
    init(
        _ connection: HTTPConnection,
        _ target: String,
        lastEventID: String? = nil,
        version: String = "HTTP/1.1",
        headers: String = ""
    ) async throws {
        self.connection = connection
        self.lastEventID = lastEventID ?? ""
        let id = lastEventID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
        try await connection.stream.send(Array("GET \(target) \(version)\r\nHost: x\r\n\(id)\(headers)\r\n".utf8))
        let deadline = ContinuousClock.now + .seconds(10)
        let words = String(decoding: try await connection.stream.line(by: deadline, "a status line"), as: UTF8.self)
            .split(separator: " ")
        status = words.count > 1 ? Int(words[1]) ?? 0 : 0
        var fields: [(name: String, value: String)] = []
        while true {
            let line = String(decoding: try await connection.stream.line(by: deadline, "a header"), as: UTF8.self)
            guard let colon = line.firstIndex(of: ":") else { break }
            fields.append((line[..<colon].lowercased(), String(line[colon...].dropFirst(2))))
        }
        self.headers = fields
    }

    subscript(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The next event, passing over comments and hints. - Throws: `WireError.closed` at the end of the stream.
    func next(within: Duration = .seconds(10)) async throws -> StreamEvent {
        let deadline = ContinuousClock.now + within
        var (type, data, id): (String, String?, String?) = ("message", nil, nil)
        while true {
            let line = String(decoding: try await connection.stream.line(by: deadline, "an event"), as: UTF8.self)
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            var value = line[colon...].dropFirst()
            if value.first == " " { value = value.dropFirst() }
            switch line[..<colon] {
            case "" where !line.isEmpty: comments += 1
            case "": if let data { return StreamEvent(type: type, id: id, data: try WireJSON.parse(Array(data.utf8))) }
            case "event": type = String(value)
            case "data":
                try #require(data == nil, "data of two lines")
                data = String(value)
            case "id":
                id = String(value)
                lastEventID = String(value)
            case "retry": retry = Int(value)
            default: throw WireError.unexpected("a line '\(line)' in a stream")
            }
        }
    }

    /// The data of the next event, which must be of this type.
    @discardableResult
    func expect(_ type: String, within: Duration = .seconds(10)) async throws -> WireJSON {
        let event = try await next(within: within)
        guard event.type == type else { throw WireError.unexpected("\(event) instead of \(type)") }
        return event.data
    }

    /// The pushes of the replay, up to `session.ready`.
    func replay() async throws -> [WireJSON] {
        var pushes: [WireJSON] = []
        while true {
            let event = try await next()
            if event.type == "session.ready" { return pushes }
            if event.type == "notification.push" { pushes.append(event.data) }
        }
    }

    /// Waits for the server's end of the stream; nothing but comments and hints may come before it.
    func end(within: Duration = .seconds(10)) async throws {
        do {
            let event = try await next(within: within)
            throw WireError.unexpected("\(event) instead of the end")
        } catch WireError.closed {}
    }

    func drop() { connection.stream.close() }
}

@available(*, unavailable)
extension EventReader: Sendable {}

extension Pod {
    /// Opens an event stream and leaves all events to be read.
    func stream(_ user: TestUser, _ query: String = "", lastEventID: String? = nil) async throws -> EventReader {
        try await EventReader(http(), "/api/v1/stream?\(user.query)\(query)", lastEventID: lastEventID)
    }
}
