import CarillonTestSupport
import Testing

/// Ids that no Double holds pass every door unchanged.
@Suite("Large ids", .pod())
struct LargeIDTests {
    static let ids = ["9007199254740993", "9223372036854775807"]

    let pod: Pod
    private var address: [String: String] { ["CARILLON_URL": "http://127.0.0.1:\(pod.server.port)"] }

    init() throws { pod = try Pod.current }

    @Test("notify, WebSocket and admin calls", arguments: ids)
    func server(id: String) async throws {
        let user = TestUser(id: id, login: "wire")
        let device = try await pod.device(user)
        let answer = try await pod.post(notifyBody([user], "large")).json
        #expect(answer["results"]?[0]?["target"]?["id"] == .number(id))
        let push = try await device.push()
        #expect(push["message"] == .string("large"))
        #expect(try await pod.redis("XLEN", "stream:user:\(id)-wire") == .integer(1))
        let payload = try await pod.redis("GET", "notification:\(push["notification_id"]?.string ?? "")").string ?? ""
        #expect(try WireJSON.parse(payload)["target"]?["id"] == .number(id))

        for list in ["clients", "users"] {
            let rows = try #require(try await pod.get("/api/v1/admin/\(list)").json[list]?.array)
            #expect(rows.contains { $0["id"] == .number(id) && $0["login"] == .string("wire") }, "\(list)")
        }
        let pending = try await pod.get("/api/v1/admin/pending").json["pending_notifications"]
        let row = try #require(pending?["\(id)-wire"]?[0])
        #expect(row["payload"]?["target"]?["id"] == .number(id))
        let history = try await pod.get("/api/v1/admin/history?\(user.query)").json
        #expect(history["user"]?["id"] == .number(id))
        #expect(history["messages"]?[0]?["payload"]?["target"]?["id"] == .number(id))
        try await device.read(push)
    }

    @Test("sender and client", arguments: ids)
    func tools(id: String) async throws {
        let user = TestUser(id: id, login: "tools")
        let environment = address.merging(["DEV_USER_ID": id, "DEV_LOGIN": "tools"]) { $1 }
        let client = try ChildProcess(
            BuiltProgram.client,
            ["--json", "--count", "3", "--read-after", "0"],
            environment: environment
        )
        defer { client.kill() }
        let sender = try ChildProcess(
            BuiltProgram.sender,
            ["--to", "\(id):tools", "--json", "by argument"],
            environment: address
        )
        #expect(try await sender.exit(within: .seconds(20)) == 0, "\(sender.standardError)")
        let line = try #require(sender.standardOutput.split(separator: "\n").first)
        let result = try WireJSON.parse(String(line))["response"]?["results"]?[0]
        #expect(result?["target"]?["id"] == .number(id))

        let byVariable = try ChildProcess(BuiltProgram.sender, ["by variable"], environment: environment)
        #expect(try await byVariable.exit(within: .seconds(20)) == 0, "\(byVariable.standardError)")
        #expect(byVariable.standardOutput.contains("\(id):tools "))

        let request = #"{"id":\#(id),"login":"tools","message":"by line"}"#
        let lines = try ChildProcess(
            "/bin/sh",
            ["-c", "printf '%s\\n' \"$1\" | \"$0\" --stdin", BuiltProgram.sender, request],
            environment: address
        )
        #expect(try await lines.exit(within: .seconds(20)) == 0, "\(lines.standardError)")

        #expect(try await client.exit(within: .seconds(20)) == 0, "\(client.standardError)")
        let frames = try client.standardOutput.split(separator: "\n").map { try WireJSON.parse(String($0)) }
        let pushes = frames.filter { $0["type"] == .string("notification.push") }.compactMap { $0["data"] }
        #expect(pushes.texts == ["by argument", "by variable", "by line"])
        #expect(try await pod.redis("HLEN", user.state) == .integer(3))
    }

    @Test("one more than the largest is refused, not rounded")
    func tooLarge() async throws {
        let user = TestUser(id: "9223372036854775808", login: "x")
        #expect(try await pod.post(notifyBody([user], "m")).status == 422)
        let upgrade = try await pod.http().request("GET", "/ws?\(user.query)", headers: WireClient.handshakeHeaders)
        #expect(upgrade.status == 400)
        #expect(try await pod.get("/api/v1/admin/history?\(user.query)").status >= 400)
        let sender = try ChildProcess(BuiltProgram.sender, ["--to", "\(user.id):x", "m"], environment: address)
        #expect(try await sender.exit(within: .seconds(20)) != 0)
    }
}
