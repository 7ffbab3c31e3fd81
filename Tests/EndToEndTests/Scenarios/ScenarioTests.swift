import CarillonTestSupport
import Testing

/// The four scenarios of the contract, with the built programs and the document's own curl lines.
@Suite("Scenarios")
struct ScenarioTests {
    /// A curl line of the document, sent to the pod instead of port 8080.
    private func curl(_ pod: Pod, _ line: String) async throws -> (status: Int32, output: String) {
        let command = line.replacing("localhost:8080", with: "127.0.0.1:\(pod.server.port)")
        let process = try ChildProcess("/bin/sh", ["-c", command])
        let status = try await process.exit(within: .seconds(20))
        return (status, process.standardOutput)
    }

    /// `make client`, without make.
    private func client(_ pod: Pod, _ environment: [String: String] = [:]) throws -> ChildProcess {
        let address = ["CARILLON_URL": "http://127.0.0.1:\(pod.server.port)"]
        return try ChildProcess(BuiltProgram.client, environment: address.merging(environment) { $1 })
    }

    private func connects(_ pod: Pod, _ users: String...) async throws {
        for user in users {
            try await wait(until: "\(user) is connected", within: .seconds(20)) {
                let rows = try await pod.get("/api/v1/admin/users").json["users"]?.array ?? []
                return rows.contains { "\($0["id"]?.numberText ?? "")-\($0["login"]?.string ?? "")" == user }
            }
        }
    }

    private func prints(_ client: ChildProcess, _ text: String) async throws {
        try await wait(until: "the client prints '\(text)'", within: .seconds(10)) {
            if let status = client.exitStatus {
                throw WireError.unexpected("the client ended with \(status): \(client.standardError)")
            }
            return client.standardOutput.contains(text)
        }
    }

    @Test("1: an online user sees it at once, and the client acknowledges after two seconds")
    func onlineUser() async throws {
        try await Pod.with { pod in
            let client = try client(pod)
            defer { client.kill() }
            try await connects(pod, "1-test_user")
            let (status, output) = try await curl(
                pod,
                """
                curl -X POST http://localhost:8080/api/v1/notify \\
                  -H "Content-Type: application/json" \\
                  -d '{
                    "target": [{"id": 1, "login": "test_user"}],
                    "message": "Welcome to our service!",
                    "source": "onboarding-service"
                  }'
                """
            )
            #expect(status == 0)
            let id = try WireJSON.parse(output)["results"]?[0]?["notification_id"]?.string
            let posted = ContinuousClock.now
            try await prints(client, "Welcome to our service!")
            #expect(ContinuousClock.now - posted < .seconds(1))
            try await wait(until: "the read is stored", within: .seconds(10)) {
                try await pod.redis("HGET", "notification_state:1-test_user", id ?? "") == .text("read")
            }
            let taken = ContinuousClock.now - posted
            #expect(taken > .milliseconds(1_500) && taken < .seconds(5))
            #expect(try await pod.pendingCount(TestUser(id: "1", login: "test_user")) == 0)
        }
    }

    @Test("2: an offline user's is pending, and arrives on connect")
    func offlineUser() async throws {
        try await Pod.with { pod in
            let (status, _) = try await curl(
                pod,
                """
                curl -X POST http://localhost:8080/api/v1/notify \\
                  -H "Content-Type: application/json" \\
                  -d '{
                    "target": [{"id": 2, "login": "offline_user"}],
                    "message": "You have a new message",
                    "source": "chat-service"
                  }'
                """
            )
            #expect(status == 0)
            let pending = try await curl(pod, "curl http://localhost:8080/api/v1/admin/pending")
            let document = try WireJSON.parse(pending.output)
            let rows = document["pending_notifications"]?["2-offline_user"]?.array
            #expect(rows?.compactMap { $0["payload"]?["message"]?.string } == ["You have a new message"])
            #expect(rows?.first?["payload"]?["source"] == .string("chat-service"))
            #expect(document["total_pending"] == .number("1"))
            #expect(document["users_with_pending"] == .number("1"))
            let client = try client(pod, ["DEV_USER_ID": "2", "DEV_LOGIN": "offline_user"])
            defer { client.kill() }
            try await prints(client, "You have a new message")
            try await wait(until: "nothing is pending", within: .seconds(10)) {
                try await pod.get("/api/v1/admin/pending").json["total_pending"] == .number("0")
            }
        }
    }

    @Test("3: several clients, one call")
    func severalClients() async throws {
        try await Pod.with { pod in
            let alice = try client(pod, ["DEV_USER_ID": "1", "DEV_LOGIN": "alice"])
            let bob = try client(pod, ["DEV_USER_ID": "2", "DEV_LOGIN": "bob"])
            defer {
                alice.kill()
                bob.kill()
            }
            try await connects(pod, "1-alice", "2-bob")
            let (status, output) = try await curl(
                pod,
                """
                curl -X POST http://localhost:8080/api/v1/notify \\
                  -H "Content-Type: application/json" \\
                  -d '{
                    "target": [
                      {"id": 1, "login": "alice"},
                      {"id": 2, "login": "bob"}
                    ],
                    "message": "System maintenance in 10 minutes",
                    "source": "admin-service"
                  }'
                """
            )
            #expect(status == 0)
            #expect(try WireJSON.parse(output)["results"]?.array?.count == 2)
            for client in [alice, bob] { try await prints(client, "System maintenance in 10 minutes") }
        }
    }

    @Test("4: the payload expires, the entry remains, the client hears auto_cleared, the janitor cleans")
    func expiry() async throws {
        try await Pod.with(["NOTIFICATION_TTL": "1s", "TTL_JANITOR_INTERVAL": "1s"]) { pod in
            let (status, output) = try await curl(
                pod,
                """
                curl -X POST http://localhost:8080/api/v1/notify \\
                  -H "Content-Type: application/json" \\
                  -d '{
                    "target": [{"id": 1, "login": "test_user"}],
                    "message": "This will expire in 15 minutes",
                    "source": "test-service"
                  }'
                """
            )
            #expect(status == 0)
            let id = try #require(try WireJSON.parse(output)["results"]?[0]?["notification_id"]?.string)
            try await wait(until: "the payload expires") {
                try await pod.redis("EXISTS", "notification:\(id)") == .integer(0)
            }
            #expect(try await pod.redis("XLEN", "stream:user:1-test_user") == .integer(1))
            let client = try client(pod)
            defer { client.kill() }
            try await wait(until: "the client prints auto_cleared", within: .seconds(10)) {
                client.standardOutput.lowercased().replacing("-", with: "_").contains("auto_cleared")
            }
            try await wait(until: "the janitor cleans", within: .seconds(15)) {
                try await pod.redis("XLEN", "stream:user:1-test_user") == .integer(0)
            }
        }
    }

    @Test("the document's other curl lines")
    func otherLines() async throws {
        try await Pod.with { pod in
            let line = """
                curl -X POST http://localhost:8080/api/v1/notify \\
                  -H "Content-Type: application/json" \\
                  -H "Idempotency-Key: order-12345-notification" \\
                  -d '{
                    "target": [{"id": 1, "login": "alice"}],
                    "message": "Your order has been shipped",
                    "source": "order-service"
                  }'
                """
            let first = try await curl(pod, line)
            let second = try await curl(pod, line)
            #expect(try WireJSON.parse(first.output) == (try WireJSON.parse(second.output)))
            #expect(try await pod.redis("XLEN", "stream:user:1-alice") == .integer(1))
            let health = try await curl(pod, "curl http://localhost:8080/health")
            #expect(try WireJSON.parse(health.output)["status"] == .string("healthy"))
            let metrics = try await curl(pod, "curl http://localhost:8080/metrics")
            #expect(metrics.output.contains("notifications_sent_total 1"))
            let history = "curl 'http://localhost:8080/api/v1/admin/history?user_id=1&login=alice'"
            #expect(try WireJSON.parse(try await curl(pod, history).output)["total"] == .number("1"))
        }
    }

    @Test("the sender reaches the client, both without arguments")
    func senderAndClient() async throws {
        try await Pod.with { pod in
            let client = try client(pod)
            defer { client.kill() }
            try await connects(pod, "1-test_user")
            let address = ["CARILLON_URL": "http://127.0.0.1:\(pod.server.port)"]
            let sender = try ChildProcess(BuiltProgram.sender, environment: address)
            let status = try await sender.exit(within: .seconds(20))
            #expect(status == 0, "\(sender.standardError)")
            try await wait(until: "the notification is stored") {
                try await pod.redis("XLEN", "stream:user:1-test_user") == .integer(1)
            }
            let user = "user_id=1&login=test_user"
            let messages = try await pod.get("/api/v1/admin/history?\(user)").json["messages"]
            try await prints(client, try #require(messages?[0]?["payload"]?["message"]?.string))
        }
    }

    @Test("the client comes back by itself when the server does")
    func clientReconnects() async throws {
        try await Pod.with { pod in
            let client = try client(pod)
            defer { client.kill() }
            try await connects(pod, "1-test_user")
            pod.server.kill()
            let again = try await ServerProcess.start(redisPort: pod.redisProcess.port, port: pod.server.port)
            defer { again.kill() }
            let user = TestUser(id: "1", login: "test_user")
            _ = try await pod.storeByHand(user, message: "while you were away")
            try await prints(client, "while you were away")
        }
    }
}
