/// One answer, as it came over the wire.
package struct WireResponse: Sendable {
    package let status: Int
    /// In the order of the wire, names as written.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The first header of this name, whatever its case.
    package subscript(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// - Throws: `WireError.unexpected` where the body is not strict JSON.
    package var json: WireJSON {
        get throws { try WireJSON.parse(body) }
    }
}

/// A raw keep-alive HTTP/1.1 client that sends exactly the bytes it is given.
///
/// - Isolation: the task that made it
package final class HTTPConnection {
    package let stream: WireStream
    private let port: Int

    package init(port: Int, ipv6: Bool = false, receiveBytes: Int32? = nil) throws {
        self.port = port
        stream = try WireStream(port: port, ipv6: ipv6, receiveBytes: receiveBytes)
    }

    /// Sends one request and reads its answer; `Host` and, with a body, `Content-Length` are added.
    package func request(
        _ method: String,
        _ target: String,
        headers: [(String, String)] = [],
        body: (some Collection<UInt8>)?,
        within: Duration = .seconds(15)
    ) async throws -> WireResponse {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        head += "\r\n"
        try await stream.send(Array(head.utf8) + (body.map { Array($0) } ?? []), within: within)
        return try await response(to: method, within: within)
    }

    package func request(
        _ method: String,
        _ target: String,
        headers: [(String, String)] = [],
        within: Duration = .seconds(15)
    ) async throws -> WireResponse {
        try await request(method, target, headers: headers, body: [UInt8]?.none, within: within)
    }

    /// Reads one answer to a request of this method that was sent as raw bytes.
    package func response(to method: String, within: Duration = .seconds(15)) async throws -> WireResponse {
        let deadline = ContinuousClock.now + within
        let line = String(decoding: try await stream.line(by: deadline, "a status line"), as: UTF8.self)
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1", let status = Int(parts[1]) else {
            throw WireError.unexpected("status line '\(line)'")
        }
        var headers: [(name: String, value: String)] = []
        while true {
            let field = String(decoding: try await stream.line(by: deadline, "a header"), as: UTF8.self)
            if field.isEmpty { break }
            guard let colon = field.firstIndex(of: ":") else { throw WireError.unexpected("header '\(field)'") }
            let value = field[field.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.append((String(field[..<colon]), String(value)))
        }
        if status == 100 { return try await response(to: method, within: within) }
        let head = WireResponse(status: status, headers: headers, body: [])
        let hasBody = method != "HEAD" && status >= 200 && status != 204 && status != 304
        guard hasBody else { return head }
        return WireResponse(status: status, headers: headers, body: try await body(of: head, by: deadline))
    }

    private func body(of head: WireResponse, by deadline: ContinuousClock.Instant) async throws -> [UInt8] {
        if head["Transfer-Encoding"]?.lowercased() == "chunked" { return try await chunks(by: deadline) }
        guard let length = head["Content-Length"] else { return try await stream.toEnd(by: deadline, "the body") }
        guard let count = Int(length) else { throw WireError.unexpected("Content-Length '\(length)'") }
        return try await stream.exactly(count, by: deadline, "a body of \(count) bytes")
    }

    private func chunks(by deadline: ContinuousClock.Instant) async throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let size = String(decoding: try await stream.line(by: deadline, "a chunk size"), as: UTF8.self)
            guard let count = Int(size.prefix { $0 != ";" }, radix: 16) else {
                throw WireError.unexpected("chunk size '\(size)'")
            }
            if count == 0 { break }
            body += try await stream.exactly(count, by: deadline, "a chunk")
            _ = try await stream.line(by: deadline, "the end of a chunk")
        }
        while try await !stream.line(by: deadline, "trailers").isEmpty {}
        return body
    }

    /// Whether the server closes the connection within the time.
    package func closes(within: Duration = .seconds(5)) async throws -> Bool {
        do {
            _ = try await stream.toEnd(by: ContinuousClock.now + within, "the end")
            return true
        } catch WireError.timedOut {
            return false
        }
    }
}

@available(*, unavailable)
extension HTTPConnection: Sendable {}
