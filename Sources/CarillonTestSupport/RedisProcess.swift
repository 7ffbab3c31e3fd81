import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// A private redis-server for tests: on a free port of the loopback interface, with a unix socket and a folder of its
/// own, without persistence unless the arguments say so.
///
/// It ends with `stop()`, with the last reference, or, whatever happens to the test process, through a watching shell
/// that kills it when its socket to that process closes.
package final class RedisProcess: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    private struct Children {
        var server: pid_t = 0
        var watcher: pid_t = 0
        var watcherSocket: Int32 = -1
    }

    package let port: Int
    package let directory: String
    package var unixSocket: String { "\(directory)/redis.sock" }
    private let arguments: [String]
    /// What its file says where it is a Sentinel.
    private let sentinelConfiguration: String?
    private let environment: [String: String]
    private let children = Mutex(Children())
    /// The other nodes of its cluster, which share its fate; none unless tests run on a cluster.
    private let peers = Mutex<[RedisProcess]>([])

    /// The process id; 0 while none runs.
    package var pid: Int32 { children.withLock { $0.server } }

    /// Starts a server and waits until it answers; where tests run on a cluster, three that share the keys and are killed, paused and
    /// started together.
    ///
    /// - Parameter arguments: Added to the command line, such as `["--requirepass", "secret"]`.
    /// - Parameter port: Any free one unless given.
    /// - Parameter environment: Beside that of this process.
    /// - Throws: `Failure` when it does not start, such as on a port that is taken.
    package static func start(
        _ arguments: [String] = [],
        port: Int? = nil,
        environment: [String: String] = [:]
    ) async throws -> RedisProcess {
        guard TestTopology.current == .cluster, arguments.isEmpty, port == nil else {
            return try await startSingle(arguments, port: port, environment: environment)
        }
        let group = try await ClusterGroup.start(nodeTimeout: 5_000)
        group.primaries[0].peers.withLock { $0 = Array(group.primaries.dropFirst()) }
        return group.primaries[0]
    }

    /// Starts one server, whatever tests run on.
    package static func startSingle(
        _ arguments: [String] = [],
        port: Int? = nil,
        environment: [String: String] = [:]
    ) async throws -> RedisProcess {
        // The port was free a moment ago; should somebody else have taken it since, another one is.
        for _ in 0..<4 {
            let process = try RedisProcess(
                arguments,
                port: port ?? BuiltProgram.freePort(),
                environment: environment
            )
            if try await process.launch() { return process }
            await process.stop()
        }
        throw Failure(description: "redis-server does not start")
    }

    /// Starts a Sentinel of which two make a majority.
    ///
    /// - Parameter downAfter: Milliseconds without an answer after which it takes the primary for dead.
    package static func startSentinel(
        of primary: Int,
        name: String,
        password: String?,
        downAfter: Int
    ) async throws -> RedisProcess {
        let lines = """
            sentinel monitor \(name) 127.0.0.1 \(primary) 2
            sentinel down-after-milliseconds \(name) \(downAfter)
            sentinel failover-timeout \(name) \(max(3_000, 4 * downAfter))
            sentinel parallel-syncs \(name) 2
            \(password.map { "sentinel auth-pass \(name) \($0)" } ?? "")

            """
        for _ in 0..<4 {
            let process = try RedisProcess([], port: BuiltProgram.freePort(), sentinelConfiguration: lines)
            if try await process.launch() { return process }
            await process.stop()
        }
        throw Failure(description: "the Sentinel does not start")
    }

    private init(
        _ arguments: [String],
        port: Int,
        environment: [String: String] = [:],
        sentinelConfiguration: String? = nil
    ) throws {
        self.arguments = arguments
        self.environment = environment
        self.sentinelConfiguration = sentinelConfiguration
        self.port = port
        var template = Array("\(NSTemporaryDirectory())carillon-redis-XXXXXX".utf8CString)
        // SAFETY: the template is zero-terminated and mkdtemp writes within it.
        guard template.withUnsafeMutableBufferPointer({ mkdtemp($0.baseAddress!) }) != nil else {
            throw Failure(description: "no temporary folder: \(String(cString: strerror(errno)))")
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        endChildren()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Ends the server in good order and removes its folder.
    package func stop() async {
        for peer in peers.withLock({ $0 }) { await peer.stop() }
        await terminate()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Ends the server at once, as a crash would. The folder stays.
    package func kill() {
        for peer in peers.withLock({ $0 }) { peer.kill() }
        endChildren()
    }

    /// Ends the server in good order if it runs, and starts it again on the same port with the same folder.
    package func restart() async throws {
        for peer in peers.withLock({ $0 }) { try await peer.restart() }
        await terminate()
        guard try await launch() else { throw Failure(description: "redis-server does not start again") }
    }

    /// Stops the server's clock: connections stay, nothing is answered.
    package func pause() {
        for peer in peers.withLock({ $0 }) { peer.pause() }
        signal(SIGSTOP)
    }

    package func resume() {
        for peer in peers.withLock({ $0 }) { peer.resume() }
        signal(SIGCONT)
    }

    /// Returns false where the server ended instead of answering.
    private func launch() async throws -> Bool {
        let server = try Self.spawn(try command(), environment: environment, standardInput: nil)
        children.withLock { $0.server = server }
        try startWatcher(of: server)
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(20))
        while !answersPing() {
            var status: Int32 = 0
            guard waitpid(server, &status, WNOHANG) == 0 else {
                children.withLock { $0.server = 0 }
                return false
            }
            guard clock.now < deadline else { throw Failure(description: "redis-server does not answer") }
            try await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    private func command() throws -> [String] {
        let common = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory, "--logfile", "\(directory)/redis.log",
            "--unixsocket", unixSocket, "--daemonize", "no",
        ]
        guard let sentinelConfiguration else {
            return ["redis-server"] + common + ["--save", "", "--appendonly", "no"] + arguments
        }
        // A Sentinel writes into its file what it has learnt: one that starts again knows it.
        let file = "\(directory)/sentinel.conf"
        if !FileManager.default.fileExists(atPath: file) {
            try sentinelConfiguration.write(toFile: file, atomically: true, encoding: .utf8)
        }
        return ["redis-server", file, "--sentinel"] + common
    }

    private func startWatcher(of server: pid_t) throws {
        var ends: [Int32] = [-1, -1]
        // A pair of sockets rather than a pipe: it can be made so that no program started meanwhile inherits it.
        guard socketpair(AF_UNIX, Self.streamSocket, 0, &ends) == 0 else {
            throw Failure(description: "no socket pair: \(String(cString: strerror(errno)))")
        }
        defer { close(ends[0]) }
        let script = "read -r _; kill -9 \(server); rm -rf '\(directory)'"
        let watcher = try Self.spawn(["sh", "-c", script], environment: [:], standardInput: ends[0])
        children.withLock {
            $0.watcher = watcher
            $0.watcherSocket = ends[1]
        }
    }

    private func terminate() async {
        signal(SIGCONT)
        signal(SIGTERM)
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(10))
        while pid != 0, clock.now < deadline {
            var status: Int32 = 0
            let ended = children.withLock { children in
                guard waitpid(children.server, &status, WNOHANG) != 0 else { return false }
                children.server = 0
                return true
            }
            if !ended { try? await Task.sleep(for: .milliseconds(2)) }
        }
        endChildren()
    }

    /// The watcher goes first, so that it cannot kill somebody who got the server's id.
    private func endChildren() {
        children.withLock { children in
            for id in [children.watcher, children.server] where id != 0 {
                Glibc.kill(id, SIGKILL)
                var status: Int32 = 0
                waitpid(id, &status, 0)
            }
            if children.watcherSocket >= 0 { close(children.watcherSocket) }
            children = Children()
        }
    }

    private func signal(_ number: Int32) {
        children.withLock { if $0.server != 0 { Glibc.kill($0.server, number) } }
    }

    /// Asks over the unix socket: only this server can have made it, and only after it got its port, while on the port
    /// itself somebody else may answer. Anything but `LOADING` will do: that a password is wanted says that it serves.
    private func answersPing() -> Bool {
        let descriptor = socket(AF_UNIX, Self.streamSocket, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(unixSocket.utf8)
        // SAFETY: the path is cut to what sun_path holds, with its final zero.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.prefix($0.count - 1)) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        // SAFETY: connect gets the address of a whole sockaddr_un and its size.
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) == 0 }
        }
        guard connected, write(descriptor, "PING\r\n", 6) == 6 else { return false }
        var answer = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &answer, answer.count)
        return count > 0 && !answer.starts(with: "-LOADING".utf8)
    }

    private static let streamSocket = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    /// Starts a program found in `PATH` that inherits nothing of this process but its environment and what it is given.
    private static func spawn(
        _ arguments: [String],
        environment: [String: String],
        standardInput: Int32?
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let standardInput {
            posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        InheritedFiles.close(by: &actions)
        // Worker threads block signals; a child that inherited that would be deaf to SIGTERM.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let settings = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var variables: [UnsafeMutablePointer<CChar>?] = settings.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var id: pid_t = 0
        let failure = posix_spawnp(&id, arguments[0], &actions, &attributes, &words, &variables)
        guard failure == 0 else {
            throw Failure(description: "\(arguments[0]) cannot be started: \(String(cString: strerror(failure)))")
        }
        return id
    }
}
