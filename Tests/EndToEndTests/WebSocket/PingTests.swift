import CarillonTestSupport
import Testing

/// The server's own pings.
@Suite("Pings")
struct PingTests {
    /// Reads until the server closes. - Returns: the pings before, none of which was answered.
    private func pingsUntilClosed(_ client: WireClient) async throws -> (count: Int, code: Int?) {
        var count = 0
        while true {
            let frame = try await client.frame(within: .seconds(15))
            if frame.opcode == WireFrame.ping { count += 1 }
            if frame.opcode == WireFrame.close { return (count, frame.closeCode) }
        }
    }

    @Test("a device that leaves two unanswered is closed, one that answers stays")
    func silentDevice() async throws {
        try await Pod.with(["PING_INTERVAL": "1s"]) { pod in
            let user = TestUser()
            let silent = try await WireClient.connect(port: pod.server.port, "/ws?\(user.query)")
            let answering = try await pod.device(user)
            // What the silent one is sent meanwhile waits in its socket.
            for _ in 0..<4 {
                var frame = try await answering.client.frame(within: .seconds(15))
                while frame.opcode != WireFrame.ping {
                    frame = try await answering.client.frame(within: .seconds(15))
                }
                try await answering.client.send(WireFrame(WireFrame.pong, frame.payload))
            }
            let (count, code) = try await pingsUntilClosed(silent)
            #expect(count == 2)
            #expect(code == 1001)
            try await pod.notify(user, message: "still here")
            #expect(try await answering.push()["message"] == .string("still here"))
            try await wait(until: "the silent one is off the list") {
                try await pod.get("/api/v1/admin/clients").json["total"] == .number("1")
            }
            #expect(try await pod.metric("carillon_ping_timeout_closes_total") == 1)
        }
    }

    @Test("anything that a device says counts as life, not only a pong")
    func talkingDevice() async throws {
        try await Pod.with(["PING_INTERVAL": "1s"]) { pod in
            let client = try await pod.device(TestUser()).client
            for _ in 0..<4 {
                while try await client.frame(within: .seconds(15)).opcode != WireFrame.ping {}
                try await client.send("sync.request", "{\"limit\":1}")
            }
            while try await client.frame().opcode != WireFrame.text {}
        }
    }
}
