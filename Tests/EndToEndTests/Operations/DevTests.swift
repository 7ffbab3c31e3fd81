import CarillonTestSupport
import Foundation
import Testing

/// `carillon-server --dev`: a redis-server of its own where none answers.
@Suite("--dev", .standalone)
struct DevTests {
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "carillon-dev-\(newUUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await Slots.shared.take()
        do {
            try await body(folder)
            await Slots.shared.giveBack()
        } catch {
            await Slots.shared.giveBack()
            throw error
        }
    }

    private func start(_ redisPort: Int, in folder: URL) async throws -> ServerProcess {
        try await ServerProcess.start(redisPort: redisPort, arguments: ["--dev"], directory: folder.path())
    }

    private func redisIsGone(_ port: Int) async throws {
        try await wait(until: "the redis-server is gone", within: .seconds(15)) {
            (try? WireStream(port: port)) == nil
        }
    }

    private func post(_ server: ServerProcess, _ user: TestUser, _ message: String) async throws {
        let body = Array(notifyBody([user], message).utf8)
        let headers = [("Content-Type", "application/json")]
        let http = try HTTPConnection(port: server.port)
        #expect(try await http.request("POST", "/api/v1/notify", headers: headers, body: body).status == 202)
    }

    @Test("starts a redis-server, keeps its data in a folder, and stops it at SIGTERM")
    func startsAndStops() async throws {
        try await withFolder { folder in
            let port = try BuiltProgram.freePort()
            let user = TestUser()
            let first = try await start(port, in: folder)
            defer { first.kill() }
            try await post(first, user, "kept")
            #expect(first.process.standardOutput.contains(".data/redis"))
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: ".data/redis/redis.log").path()))
            #expect(try await first.terminate() == 0)
            #expect((try? WireStream(port: port)) == nil)

            let second = try await start(port, in: folder)
            defer { second.kill() }
            let client = try await WireClient.connect(port: second.port, "/ws?\(user.query)")
            #expect(try await client.expect("notification.push")["message"] == .string("kept"))
            #expect(try await second.terminate() == 0)
        }
    }

    @Test("starts none where one answers, and leaves that one alone")
    func usesTheOneThatAnswers() async throws {
        try await withFolder { folder in
            let redis = try await RedisProcess.start()
            let server = try await start(redis.port, in: folder)
            defer { server.kill() }
            let user = TestUser()
            try await post(server, user, "there")
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: ".data").path()))
            #expect(try await server.terminate() == 0)
            #expect(try await WireRedis(port: redis.port)(["XLEN", user.stream]) == .integer(1))
            await redis.stop()
        }
    }

    @Test("a server that is killed takes its redis-server with it")
    func killed() async throws {
        try await withFolder { folder in
            let port = try BuiltProgram.freePort()
            let server = try await start(port, in: folder)
            #expect((try? WireStream(port: port)) != nil)
            server.kill()
            try await redisIsGone(port)
        }
    }

    @Test("a server that cannot start leaves no redis-server behind")
    func cannotStart() async throws {
        try await withFolder { folder in
            let redisPort = try BuiltProgram.freePort()
            let first = try await start(redisPort, in: folder)
            defer { first.kill() }
            let otherPort = try BuiltProgram.freePort()
            let second = try ChildProcess(
                BuiltProgram.server,
                ["--dev"],
                environment: ["SERVER_ADDR": "127.0.0.1:\(first.port)", "REDIS_ADDR": "127.0.0.1:\(otherPort)"],
                directory: folder.appending(path: ".data").path()
            )
            #expect(try await second.exit(within: .seconds(20)) > 0)
            try await redisIsGone(otherPort)
            #expect(try await first.terminate() == 0)
        }
    }
}
