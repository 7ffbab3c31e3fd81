import CarillonTestSupport
import Foundation
import Testing

/// HAProxy with the project's configuration before some pods.
final class Proxy: Sendable {
    let port: Int
    private let process: ChildProcess

    private init(port: Int, process: ChildProcess) {
        self.port = port
        self.process = process
    }

    private static let configuration = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../../../scripts/haproxy.cfg").standardized.path

    /// Runs HAProxy before the pods until the body has ended.
    static func with(_ pods: [Pod], _ body: (Proxy) async throws -> Void) async throws {
        let port = try BuiltProgram.freePort()
        var settings = ["BIND": "127.0.0.1:\(port)", "HAPROXY_MAXCONN": "500"]
        for (index, pod) in pods.enumerated() { settings["POD_\(index + 1)"] = "127.0.0.1:\(pod.server.port)" }
        let program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        let process = try ChildProcess(
            try #require(program, "haproxy is not installed"),
            ["-db", "-f", configuration],
            environment: settings
        )
        defer { process.kill() }
        let proxy = Proxy(port: port, process: process)
        try await wait(until: "HAProxy listens") {
            try #require(process.exitStatus == nil, "\(process.standardError)")
            return (try? HTTPConnection(port: port)) != nil
        }
        try await body(proxy)
        #expect(process.exitStatus == nil, "\(process.standardError)")
    }

    /// Waits until the health check of the n-th pod, counted from 1, has failed.
    func noticed(podGone number: Int) async throws {
        try await wait(until: "HAProxy notices") {
            process.standardError.contains("Server pods/carillon-\(number) is DOWN")
        }
    }

    func http() throws -> HTTPConnection { try HTTPConnection(port: port) }

    /// Posts a notification. - Returns: the status.
    func post(_ user: TestUser, _ message: String, on connection: HTTPConnection? = nil) async throws -> Int {
        let body = Array(notifyBody([user], message).utf8)
        let headers = [("Content-Type", "application/json")]
        return try await (connection ?? http()).request("POST", "/api/v1/notify", headers: headers, body: body).status
    }

    /// Opens a WebSocket and takes the replay up to `session.ready`.
    func device(_ user: TestUser, _ query: String = "") async throws -> Device {
        try await Device(client: WireClient.connect(port: port, "/ws?\(user.query)\(query)"))
    }
}
