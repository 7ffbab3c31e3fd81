internal import CarillonTestSupport
import Foundation

/// Users beside those of the ledger, who use all that the fleet does not: event streams, long polls, lists, the verbs of the inbox,
/// collapse keys, receipts; and one who comes as somebody new each time, because what is kept of a user must go with him too.
///
/// They demand of each call that it succeeds, where no fault runs.
struct Guests: Sendable {
    /// Ids of users beyond all those of the ledger.
    private static let firstID = 1_000_000
    private static let patience = Duration.seconds(12)
    private static let pause = Duration.milliseconds(250)

    /// Where the pods listen just now.
    let ports: @Sendable () async -> [Int]
    /// Something went wrong in a visit that began at that moment.
    let complain: @Sendable (ContinuousClock.Instant, String) async -> Void

    /// Comes and goes until it is cancelled. - Returns: the number of visits.
    func run() async -> Int {
        await withTaskGroup(of: Int.self) { group in
            group.addTask { await visit("stranger") { try await stranger(Self.firstID + 100 + $0) } }
            group.addTask { await visit("reader") { _ in try await reader(Guest(id: Self.firstID)) } }
            group.addTask { await visit("streamer") { _ in try await streamer(Guest(id: Self.firstID + 1)) } }
            group.addTask { await visit("poller") { _ in try await poller(Guest(id: Self.firstID + 2)) } }
            return await group.reduce(0, +)
        }
    }

    private func visit(_ name: String, _ body: (Int) async throws -> Void) async -> Int {
        var number = 0
        while !Task.isCancelled {
            let begin = ContinuousClock.now
            do {
                try await body(number)
            } catch  where !Task.isCancelled {
                await complain(begin, "\(name): \(error)")
            } catch {}
            number += 1
            try? await Task.sleep(for: Self.pause)
        }
        return number
    }

    private func port() async -> Int { await ports().randomElement() ?? 0 }

    // MARK: - Visits

    /// Comes once, hears and reads what was sent meanwhile and what is sent now, and never comes again.
    private func stranger(_ id: Int) async throws {
        let guest = Guest(id: id)
        _ = try await guest.post(to: await port())
        let client = try await WireClient.connect(port: await port(), "/ws?\(guest.query)", within: Self.patience)
        defer { client.drop() }
        try await client.first("session.ready", within: Self.patience)
        let sent = try await guest.post(to: await port(), key: "stranger-\(id)")
        while true {
            let push = try await client.first("notification.push", within: Self.patience)
            guard push["notification_id"]?.string == sent, let place = push["stream_id"]?.string else { continue }
            try await client.send("notification.read", "{\"notification_id\":\"\(sent)\",\"stream_id\":\"\(place)\"}")
            break
        }
        try await client.first("notification.read.ack", within: Self.patience)
        try await client.sendClose()
        _ = try await client.closing(within: Self.patience)
    }

    /// Does with a notification all that a page lets its user do.
    private func reader(_ guest: Guest) async throws {
        let http = try HTTPConnection(port: await port())
        let path = "/api/v1/notifications"
        _ = try await guest.post(to: await port(), members: ",\"collapse_key\":\"news\"")
        let id = try await guest.post(to: await port(), members: ",\"collapse_key\":\"news\"")
        try await http.call("GET", "\(path)?\(guest.query)&limit=20")
        try await http.call("GET", "\(path)/unread-count?\(guest.query)")
        for verb in ["seen", "archive", "unarchive", "read", "unread", "read"] {
            try await http.call("PUT", "\(path)/\(id)/\(verb)?\(guest.query)")
        }
        try await http.call("GET", "/api/v1/notify/\(id)")
        if Bool.random() {
            try await http.call("DELETE", "\(path)/\(id)?\(guest.query)")
        } else {
            try await http.call("DELETE", "/api/v1/notify/\(id)")
        }
        let other = try await guest.post(to: await port())
        try await http.call("PUT", "\(path)/\(other)/snooze?\(guest.query)", "{\"until\":\"\(Guest.soon)\"}")
        try await http.call("PUT", "\(path)/\(other)/unsnooze?\(guest.query)")
        try await http.call("PUT", "\(path)/read-all?\(guest.query)")
    }

    /// Hears of a post over an event stream.
    private func streamer(_ guest: Guest) async throws {
        let http = try HTTPConnection(port: await port())
        try await http.stream.send("GET /api/v1/stream?\(guest.query) HTTP/1.1\r\nHost: guest\r\n\r\n".utf8)
        let deadline = ContinuousClock.now + Self.patience
        try await http.stream.lines(until: "event: session.ready", by: deadline)
        let id = try await guest.post(to: await port())
        try await http.stream.lines(until: id, by: deadline)
    }

    /// Hears of a post by an answer that waited for it.
    private func poller(_ guest: Guest) async throws {
        let http = try HTTPConnection(port: await port())
        let list = "/api/v1/notifications?\(guest.query)"
        let newest = try await http.call("GET", "\(list)&limit=1").json["notifications"]?.array?.first
        let since = newest?["stream_id"]?.string ?? "0-0"
        async let posted = guest.post(to: await port())
        // A stream of its own and those for everybody: only newer ones than all that it named.
        let answer = try await http.call("GET", "\(list)&since=\(since)&wait=10")
        _ = try await posted
        guard answer.status == 200 else { throw WireError.unexpected("\(answer.status) to a long poll with news") }
    }
}

/// A user who is no part of the ledger.
struct Guest: Sendable {
    let id: Int

    var query: String { "user_id=\(id)&login=guest" }

    static var soon: String { (Date.now + 600).ISO8601Format() }

    /// Sends the user something. - Returns: the notification's id.
    func post(to port: Int, key: String? = nil, members: String = "") async throws -> String {
        let http = try HTTPConnection(port: port)
        let body = "{\"target\":[{\"id\":\(id),\"login\":\"guest\"}],\"message\":\"to a guest\"\(members)}"
        let answer = try await http.call("POST", "/api/v1/notify", body, key: key)
        guard let id = try answer.json["results"]?.array?.first?["notification_id"]?.string else {
            throw WireError.unexpected("a 202 without an id: \(answer.text)")
        }
        return id
    }
}

extension HTTPConnection {
    /// - Throws: where the answer is no success.
    @discardableResult
    fileprivate func call(
        _ method: String,
        _ target: String,
        _ body: String? = nil,
        key: String? = nil
    ) async throws -> WireResponse {
        var headers = body == nil ? [] : [("Content-Type", "application/json")]
        if let key { headers.append(("Idempotency-Key", key)) }
        let answer = try await request(method, target, headers: headers, body: body.map { Array($0.utf8) })
        guard (200..<400).contains(answer.status) else {
            throw WireError.unexpected("\(answer.status) to \(method) \(target): \(answer.text)")
        }
        return answer
    }
}

extension WireStream {
    /// Reads up to the first line that contains `text`.
    fileprivate func lines(until text: String, by deadline: ContinuousClock.Instant) async throws {
        while true {
            let line = try await line(by: deadline, "a line with \(text)")
            if String(decoding: line, as: UTF8.self).contains(text) { return }
        }
    }
}
