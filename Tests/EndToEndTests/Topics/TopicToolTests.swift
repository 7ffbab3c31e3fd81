import CarillonTestSupport
import Testing

/// The command line's programs and topics, as they are built.
@Suite("Topics at the command line")
struct TopicToolTests {
    private func client(_ pod: Pod, _ user: TestUser, _ arguments: String...) throws -> ChildProcess {
        let url = "http://127.0.0.1:\(pod.server.port)"
        let who = ["--url", url, "--user-id", user.id, "--login", user.login]
        return try ChildProcess(BuiltProgram.client, who + arguments)
    }

    /// Sends, and returns the first line that the sender prints.
    @discardableResult
    private func send(_ pod: Pod, _ arguments: String...) async throws -> String {
        let url = "http://127.0.0.1:\(pod.server.port)"
        let sender = try ChildProcess(BuiltProgram.sender, ["--url", url] + arguments)
        #expect(try await sender.exit(within: .seconds(20)) == 0, "\(sender.standardError)")
        return String(sender.standardOutput.prefix { $0 != "\n" })
    }

    private func prints(_ client: ChildProcess, _ text: String) async throws {
        try await wait(until: "the client prints '\(text)': \(client.standardError)", within: .seconds(10)) {
            (client.standardOutput + client.standardError).contains(text)
        }
    }

    @Test("a client subscribes, says where a notification came from, and goes on after a pod that was killed")
    func clientAndSender() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let (orders, news) = (newChannel(), newChannel())
            let client = try client(pod, user, "--channels", "\(orders),\(news)", "--read-after", "0")
            defer { client.kill() }
            try await prints(client, "connected to")
            try await prints(client, "channels: \([orders, news].sorted().joined(separator: ", "))")
            let id = try await send(pod, "--channel", orders, "Shop closed").split(separator: " ")
            #expect(id.prefix(2) == ["channel", orders[...]])
            try await prints(client, "UNREAD (channel \(orders)) Shop closed")
            try await prints(client, "read: \(id.last ?? "")")
            #expect(try await send(pod, "--all", "Maintenance at noon").hasPrefix("everybody "))
            try await prints(client, "UNREAD (everybody) Maintenance at noon")
            try await send(pod, "--to", "\(user.id):\(user.login)", "--channel", orders, "for one")
            try await prints(client, "UNREAD for one")

            pod.server.kill()
            try await prints(client, "trying again in")
            let next = try await ServerProcess.start(redisPort: pod.redisProcess.port, port: pod.server.port)
            defer { next.kill() }
            try await send(pod, "--channel", news, "missed")
            try await prints(client, "UNREAD (channel \(news)) missed")
            for text in ["Shop closed", "Maintenance at noon", "for one", "missed"] {
                #expect(client.standardOutput.ranges(of: text).count == 1, "'\(text)' once: \(client.standardOutput)")
            }
        }
    }

    @Test("what the server refuses, and what makes no sense, ends them")
    func refused() async throws {
        try await Pod.with { pod in
            let client = try client(pod, TestUser(), "--channels", "no name")
            #expect(try await client.exit(within: .seconds(20)) == 76)
            #expect(client.standardError.contains("channels"))
            for arguments in [["--all", "--channel", "orders"], ["--all", "--to", "1:alice"]] {
                let sender = try ChildProcess(BuiltProgram.sender, arguments + ["text"])
                #expect(try await sender.exit(within: .seconds(20)) == 64)
            }
        }
    }
}
