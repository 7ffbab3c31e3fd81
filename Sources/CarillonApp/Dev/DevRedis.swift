package import CarillonConfig
import Glibc

/// The redis-server of `carillon-server --dev`: private to this machine, kept in a folder, stopped with the server.
///
/// It ends as well when this object goes, or when the process is killed; the data stay in the folder.
///
/// - Isolation: any thread
package final class DevRedis: Sendable {
    package let address: Settings.Redis.Address
    /// Absolute path of its data and of its log, `redis.log`.
    package let dataFolder: String
    private let process: ChildProcess

    private init(address: Settings.Redis.Address, dataFolder: String, process: ChildProcess) {
        self.address = address
        self.dataFolder = dataFolder
        self.process = process
    }

    package var pid: Int { Int(process.pid) }

    /// Starts a redis-server unless one answers already.
    ///
    /// - Parameters:
    ///   - redis: Where the server will look for Redis.
    ///   - dataFolder: Made if missing.
    ///   - say: Takes lines about what takes time.
    /// - Returns: nil where a Redis answered and nothing was started.
    /// - Throws: `DevError` where none answers and none can be started.
    package static func startIfNeeded(
        _ redis: Settings.Redis,
        dataFolder: String = ".data/redis",
        say: (String) -> Void
    ) async throws(DevError) -> DevRedis? {
        switch await RedisPing.send(to: redis.address, timeout: .seconds(2)) {
        case .ready, .loading: return nil
        case .stranger:
            throw DevError("what answers at \(redis.address) is not a Redis; set REDIS_ADDR to another port")
        case .nothing: break
        }
        try check(redis)
        guard let program = find("redis-server") else {
            throw DevError(
                "--dev needs redis-server, which is not in PATH: sudo apt install redis-server"
            )
        }
        let folder = try makeFolder(dataFolder)
        say("nothing answers at \(redis.address): starting \(program)")
        let started = DevRedis(
            address: redis.address,
            dataFolder: folder,
            process: try ChildProcess(
                program: program,
                arguments: arguments(redis.address, folder),
                output: "\(folder)/redis.log"
            )
        )
        try await started.waitUntilReady()
        return started
    }

    /// Stops the redis-server and waits until it has ended, which a SIGKILL makes sure of after 10 s.
    package func stop() async {
        await process.stop(within: .seconds(10))
    }

    private func waitUntilReady() async throws(DevError) {
        let deadline = ContinuousClock.now + .seconds(30)
        while await RedisPing.send(to: address, timeout: .seconds(1)) != .ready {
            guard process.isRunning else {
                throw DevError("redis-server ended at once; the reason is at the end of \(dataFolder)/redis.log")
            }
            guard ContinuousClock.now < deadline, !Task.isCancelled else {
                await stop()
                throw DevError("redis-server was not ready in time; see \(dataFolder)/redis.log")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        // Another one may have taken the port in between.
        guard process.isRunning else { throw DevError("another Redis has just been started at \(address); try again") }
    }

    /// What a redis-server of ours cannot offer.
    private static func check(_ redis: Settings.Redis) throws(DevError) {
        if case .tcp(let host, _) = redis.address, !isLoopback(host) {
            throw DevError(
                "no Redis answers at \(redis.address), and --dev starts one on this machine only: "
                    + "set REDIS_ADDR to localhost"
            )
        }
        guard !redis.usesTLS else {
            throw DevError("no Redis answers at \(redis.address), and the one of --dev speaks no TLS: unset REDIS_TLS")
        }
        guard redis.password == nil else {
            throw DevError(
                "no Redis answers at \(redis.address), and the one of --dev has no password: unset REDIS_PASSWORD"
            )
        }
    }

    static func isLoopback(_ host: String) -> Bool {
        host.lowercased() == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    static func arguments(_ address: Settings.Redis.Address, _ folder: String) -> [String] {
        var arguments = access(RedisServerSettings.file, R_OK) == 0 ? [RedisServerSettings.file] : []
        if arguments.isEmpty { arguments = RedisServerSettings.arguments }
        arguments += ["--dir", folder]
        switch address {
        case .tcp(_, let port): arguments += ["--bind", "127.0.0.1", "-::1", "--port", "\(port)"]
        case .unix(let path): arguments += ["--port", "0", "--unixsocket", path, "--unixsocketperm", "700"]
        }
        return arguments
    }

    private static func find(_ program: String) -> String? {
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    /// - Returns: The absolute path, as redis-server changes its working directory.
    private static func makeFolder(_ path: String) throws(DevError) -> String {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += "\(part)/"
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else {
                throw DevError("cannot make the folder \(made): \(String(cString: strerror(errno)))")
            }
        }
        guard let absolute = realpath(path, nil) else {
            throw DevError("cannot use the folder \(path): \(String(cString: strerror(errno)))")
        }
        defer { free(absolute) }
        return String(cString: absolute)
    }
}
