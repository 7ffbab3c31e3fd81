internal import CarillonTestSupport

/// The server under attack, as attacks prepare it and look at it.
struct Target: Sendable {
    let server: ServerProcess
    let redis: RedisProcess

    /// What the server holds at this moment: nothing where it has ended.
    var status: ProcessStatus {
        ProcessStatus(pid: server.process.processID) ?? ProcessStatus(residentBytes: 0, threads: 0, descriptors: 0)
    }

    /// Posts messages of so many bytes to a user of the attack.
    func post(_ count: Int = 1, bytes: Int, to user: Int) async throws {
        let connection = try HTTPConnection(port: server.port)
        let message = String(repeating: "x", count: bytes)
        let body = #"{"target":[{"id":\#(Bytes.firstUser + user),"login":"hostile"}],"message":"\#(message)"}"#
        for _ in 0..<count {
            let headers = [("Content-Type", "application/json")]
            let answer = try await connection.request(
                "POST",
                "/api/v1/notify",
                headers: headers,
                body: Array(body.utf8)
            )
            guard answer.status == 202 else { throw HostileError("a post of the attack was answered \(answer.status)") }
        }
    }

    /// Posts such messages, so many in a second, until the task is cancelled.
    func keepPosting(_ perSecond: Int, bytes: Int, to user: Int) async throws {
        while !Task.isCancelled {
            try await post(bytes: bytes, to: user)
            try await Task.sleep(for: .milliseconds(1_000 / perSecond))
        }
    }

    /// The user was ever sent something.
    func isKnown(_ user: Int) async throws -> Bool {
        try await WireRedis(port: redis.port)(["EXISTS", "stream:user:\(Bytes.name(user))"]).int == 1
    }

    func metric(_ name: String) async throws -> Double {
        let text = try await HTTPConnection(port: server.port).request("GET", "/metrics").text
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        guard let value = line.flatMap({ Double($0.dropFirst(name.count + 1)) }) else {
            throw HostileError("no metric \(name)")
        }
        return value
    }
}

/// Something that keeps the attacks from being made or measured.
package struct HostileError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
