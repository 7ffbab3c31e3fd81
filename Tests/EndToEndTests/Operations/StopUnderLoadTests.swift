import CarillonTestSupport
import Testing

/// What senders and load balancers see of a pod between SIGTERM and its end.
@Suite("Stopping under load")
struct StopUnderLoadTests {
    private static let settings = ["DRAIN_SECONDS": "3", "STREAM_MAXLEN": "100000"]

    /// Posts over one connection until an answer says that it is the connection's last.
    ///
    /// - Returns: How many were answered; each with 202.
    private func postUntilClosed(_ pod: Pod, _ user: TestUser) async throws -> Int {
        let http = try pod.http()
        let body = Array(notifyBody([user], "hello").utf8)
        var count = 0
        while true {
            let answer = try await pod.post(body, on: http)
            try #require(answer.status == 202, "\(answer.status) \(answer.text)")
            count += 1
            if answer["Connection"] == "close" {
                #expect(try await http.closes())
                return count
            }
        }
    }

    @Test("every request on an open connection is answered, until an answer says that it was the last")
    func openConnections() async throws {
        try await Pod.with(Self.settings) { pod in
            let user = TestUser()
            let idle = try pod.http()
            #expect(try await pod.post(Array(notifyBody([user], "before").utf8), on: idle)["Connection"] == nil)
            let posts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<16 { group.addTask { try await postUntilClosed(pod, user) } }
                try await wait(until: "posts flow") { try await pod.redis("XLEN", user.stream).int ?? 0 > 100 }
                pod.server.process.signal(15)
                return try await group.reduce(0, +)
            }
            // One that said nothing meanwhile was told nothing; it may still ask once.
            let late = try await pod.post(Array(notifyBody([user], "late").utf8), on: idle)
            #expect(late.status == 202)
            #expect(late["Connection"] == "close")
            #expect(try await pod.server.process.exit(within: .seconds(12)) == 0)
            #expect(try await pod.redis("XLEN", user.stream) == .integer(posts + 2))
        }
    }

    @Test("what was sent ahead is answered, too, and only the last answer closes")
    func sentAhead() async throws {
        try await Pod.with(Self.settings) { pod in
            let user = TestUser()
            let http = try pod.http()
            try await stopping(pod)
            let body = notifyBody([user], "ahead")
            let request =
                "POST /api/v1/notify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            try await http.stream.send(String(repeating: request, count: 5).utf8)
            var closes: [String?] = []
            for _ in 0..<5 {
                let answer = try await http.response(to: "POST")
                #expect(answer.status == 202)
                closes.append(answer["Connection"])
            }
            #expect(closes == [nil, nil, nil, nil, "close"])
            #expect(try await http.closes())
        }
    }

    @Test("/ready fails at once, new posts are served for DRAIN_SECONDS, new WebSockets go elsewhere")
    func notice() async throws {
        try await Pod.with(Self.settings) { pod in
            let user = TestUser()
            try await stopping(pod)
            let ready = try await pod.get("/ready")
            #expect(ready.status == 503)
            #expect(ready["Connection"] == "close")
            #expect(try ready.json["components"]?["pod"]?["status"] != .string("healthy"))
            #expect(try await pod.get("/live").status == 200)
            let answer = try await pod.post(notifyBody([user], "new"))
            #expect(answer.status == 202)
            #expect(answer["Connection"] == "close")
            let target = "/ws?\(user.query)"
            let refused = try await pod.http().request("GET", target, headers: WireClient.handshakeHeaders)
            #expect(refused.status == 503)
            #expect(try refused.json["error"] == .string("draining"))
            #expect(try await pod.server.process.exit(within: .seconds(12)) == 0)
            #expect(throws: WireError.self) { try pod.http() }
        }
    }

    /// Sends SIGTERM and returns once the pod has noticed.
    private func stopping(_ pod: Pod) async throws {
        try await wait(until: "it is ready") { try await pod.get("/ready").status == 200 }
        pod.server.process.signal(15)
        try await wait(until: "it says that it stops") { try await pod.get("/ready").status == 503 }
    }
}
