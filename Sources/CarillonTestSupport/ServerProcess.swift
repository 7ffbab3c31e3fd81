import Glibc

/// The built server as a process of its own, listening on a port of its own.
package final class ServerProcess: Sendable {
    package let port: Int
    package let podID: String
    package let process: ChildProcess

    private init(port: Int, podID: String, process: ChildProcess) {
        self.port = port
        self.podID = podID
        self.process = process
    }

    /// Starts the server and returns once `GET /live` answers 200.
    ///
    /// - Parameters:
    ///   - port: where to listen; a free one where nil.
    ///   - environment: settings beside `SERVER_ADDR`, `REDIS_ADDR` and `POD_ID`, or instead of the last two; an empty
    ///     value leaves a setting out.
    ///   - arguments: the command line.
    ///   - directory: its working directory.
    ///   - log: a file that its output is added to, and that stays.
    /// - Throws: with what the server wrote, where it ends or does not answer within 20 seconds.
    package static func start(
        redisPort: Int,
        port: Int? = nil,
        podID: String? = nil,
        environment: [String: String] = [:],
        arguments: [String] = [],
        directory: String? = nil,
        log: String? = nil
    ) async throws -> ServerProcess {
        let port = try port ?? BuiltProgram.freePort()
        let podID = podID ?? "pod-\(port)"
        var settings = [
            "SERVER_ADDR": "127.0.0.1:\(port)", "REDIS_ADDR": "127.0.0.1:\(redisPort)", "POD_ID": podID,
        ]
        if TestTopology.current == .cluster {
            settings["REDIS_ADDR"] = nil
            settings["REDIS_CLUSTER"] = "127.0.0.1:\(redisPort)"
        }
        settings.merge(environment) { $1 }
        // Who says himself where Redis is, means it.
        if ["REDIS_ADDR", "REDIS_URL", "REDIS_SENTINELS"].contains(where: { environment[$0]?.isEmpty == false }) {
            settings["REDIS_CLUSTER"] = environment["REDIS_CLUSTER"]
        }
        let process = try ChildProcess(
            BuiltProgram.server,
            arguments,
            environment: settings.filter { !$0.value.isEmpty },
            directory: directory,
            log: log
        )
        let server = ServerProcess(port: port, podID: podID, process: process)
        try await server.becomesLive()
        return server
    }

    private func becomesLive() async throws {
        do {
            try await wait(until: "the server serves", within: .seconds(20)) {
                if process.exitStatus != nil { throw WireError.unexpected("the server ended") }
                guard let connection = try? HTTPConnection(port: port) else { return false }
                return try await connection.request("GET", "/live").status == 200
            }
        } catch {
            process.kill()
            let output = process.standardOutput + process.standardError
            throw WireError.unexpected("\(error), status \(process.exitStatus ?? 0): \(output.suffix(2_000))")
        }
    }

    /// Asks it to stop. - Returns: its exit status.
    package func terminate(within: Duration = .seconds(15)) async throws -> Int32 {
        process.signal(SIGTERM)
        return try await process.exit(within: within)
    }

    /// Ends it without a word.
    package func kill() { process.kill() }

    /// All that it wrote so far.
    package var output: String { process.standardOutput + process.standardError }
}
