import CarillonConfig
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import Testing

import enum CarillonTestSupport.BuiltProgram

@testable import CarillonApp

@Suite("The redis-server of --dev", .serialized)
struct DevRedisTests {
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let template = FileManager.default.temporaryDirectory.appending(path: "carillon-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: template) }
        try await body(template.path())
    }

    private func redis(_ port: Int) -> Settings.Redis {
        Settings.Redis(address: .tcp(host: "127.0.0.1", port: port))
    }

    private func exists(_ pid: Int) -> Bool { kill(pid_t(pid), 0) == 0 }

    /// Waits until `condition` holds, at most 10 s.
    private func eventually(_ condition: () async -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if await condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    @Test func startsAnswersAndStops() async throws {
        let redis = redis(try BuiltProgram.freePort())
        try await withFolder { folder in
            var said: [String] = []
            let started = try await DevRedis.startIfNeeded(redis, dataFolder: "\(folder)/a/b") { said.append($0) }
            let server = try #require(started)
            #expect(said.count == 1)
            #expect(try await eventually { await RedisPing.send(to: redis.address, timeout: .seconds(1)) == .ready })
            // Its own process group: a Ctrl-C in the terminal does not reach it.
            #expect(getpgid(pid_t(server.pid)) == pid_t(server.pid))
            #expect(FileManager.default.fileExists(atPath: "\(server.dataFolder)/redis.log"))
            #expect(FileManager.default.fileExists(atPath: "\(server.dataFolder)/appendonlydir"))

            // A second start finds the first one.
            #expect(try await DevRedis.startIfNeeded(redis, dataFolder: folder) { _ in } == nil)

            await server.stop()
            #expect(await RedisPing.send(to: redis.address, timeout: .milliseconds(300)) == .nothing)
            #expect(!exists(server.pid))
            await server.stop()
        }
    }

    @Test func servesOnAUnixSocket() async throws {
        try await withFolder { folder in
            let redis = Settings.Redis(address: .unix(path: "\(folder)/redis.sock"))
            let server = try #require(try await DevRedis.startIfNeeded(redis, dataFolder: folder) { _ in })
            #expect(await RedisPing.send(to: redis.address, timeout: .seconds(1)) == .ready)
            await server.stop()
        }
    }

    @Test func goesWhenTheServerIsKilled() async throws {
        let port = try BuiltProgram.freePort()
        try await withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let address = redis(port).address
            var child: ChildProcess? = try ChildProcess(
                program: "/usr/bin/env",
                arguments: ["redis-server", "--port", "\(port)", "--save", ""],
                output: "\(folder)/log"
            )
            let pid = try #require(child?.pid)
            #expect(try await eventually { await RedisPing.send(to: address, timeout: .seconds(1)) == .ready })
            // Closes the socket like the kernel does when this process is killed.
            child = nil
            #expect(try await eventually { waitpid(pid, nil, WNOHANG) == pid })
            #expect(await RedisPing.send(to: address, timeout: .seconds(1)) == .nothing)
        }
    }

    @Test func isNotStartedForAnotherMachineOrWithTLSOrAPassword() async throws {
        let port = try BuiltProgram.freePort()
        var tls = redis(port)
        tls.usesTLS = true
        var password = redis(port)
        password.password = "secret"
        for (redis, reason) in [(tls, "unset REDIS_TLS"), (password, "unset REDIS_PASSWORD")] {
            let error = await #expect(throws: DevError.self) {
                try await DevRedis.startIfNeeded(redis, dataFolder: "/dev/null/nowhere") { _ in }
            }
            #expect(error?.description.hasSuffix(reason) == true)
            #expect(error?.description.contains("secret") == false)
        }
        #expect(DevRedis.isLoopback("localhost") && DevRedis.isLoopback("127.1.2.3") && DevRedis.isLoopback("::1"))
        #expect(!DevRedis.isLoopback("redis") && !DevRedis.isLoopback("10.0.0.1"))
    }

    @Test func aStrangerOnThePortIsTold() async throws {
        let stranger = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(MailGreeting())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let redis = redis(try #require(stranger.localAddress?.port))
        let error = await #expect(throws: DevError.self) {
            try await DevRedis.startIfNeeded(redis, dataFolder: "/dev/null/nowhere") { _ in }
        }
        #expect(error?.description.contains("is not a Redis") == true)
        try await stranger.close()
    }

    @Test func aServerThatCannotStartIsTold() async throws {
        // Nothing reads from this port, so it counts as silent, but it cannot be bound.
        let silent = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        let redis = redis(try #require(silent.localAddress?.port))
        try await withFolder { folder in
            let error = await #expect(throws: DevError.self) {
                try await DevRedis.startIfNeeded(redis, dataFolder: folder) { _ in }
            }
            #expect(error?.description.contains("redis-server ended at once") == true)
        }
        try await silent.close()
    }

    @Test func theShippedFileHasTheSameSettings() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: "\(root)/\(RedisServerSettings.file)"))
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
        let expected = RedisServerSettings.all.map { "\($0.name) \($0.value.isEmpty ? "\"\"" : $0.value)" }
        #expect(lines.map(String.init) == expected)
    }

    @Test func theBannerNamesWhatToOpenAndWhichRedis() throws {
        var settings = try Settings.load(arguments: ["x", "--pod-id=p1"], environment: [:])
        let banner = Banner(settings: settings, port: 8_080, redis: nil)
        #expect(banner.url == "http://localhost:8080/")
        #expect(banner.lines[0].hasSuffix(", pod p1"))
        #expect(banner.lines[1] == "  Redis  found at localhost:6379")
        settings.listen.host = "::1"
        #expect(Banner(settings: settings, port: 1, redis: nil).url == "http://[::1]:1/")
        settings.listen.host = "0.0.0.0"
        #expect(Banner(settings: settings, port: 1, redis: nil).url == "http://localhost:1/")
    }
}

/// Speaks first, as a mail server does.
private final class MailGreeting: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(string: "220 mail\r\n")), promise: nil)
    }
}
