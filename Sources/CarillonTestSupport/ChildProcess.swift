import Foundation
import Glibc
import Synchronization

/// A program that a test started: its output goes to files, so that it never waits for a reader.
///
/// Whatever still runs when the test process ends is killed.
package final class ChildProcess: Sendable {
    package let processID: Int32
    private let folder: URL
    private let log: String?
    private let status = Mutex<Int32?>(nil)

    /// Starts the program with these settings and nothing of this process's own but what a program needs to run.
    ///
    /// - Parameters:
    ///   - directory: Its working directory; this process's own where nil.
    ///   - log: A file that both its outputs are added to, and that stays; files that go with this object where nil.
    /// - Throws: `WireError.system` where it cannot be started.
    package init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        directory: String? = nil,
        log: String? = nil
    ) throws {
        self.log = log
        folder = FileManager.default.temporaryDirectory.appending(path: "carillon-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var settings = ProcessInfo.processInfo.environment.filter {
            ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"].contains(
                $0.key
            )
        }
        settings.merge(environment) { $1 }
        // A shell that becomes the program, because glibc hides its own way to another folder from Swift.
        let mover = directory.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0] } ?? []
        processID = try Self.spawn(
            mover + [executable] + arguments,
            environment: settings.map { "\($0.key)=\($0.value)" },
            output: log ?? folder.appending(path: "output").path,
            errors: log ?? folder.appending(path: "errors").path
        )
        RunningChildren.add(processID)
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func spawn(
        _ arguments: [String],
        environment: [String],
        output: String,
        errors: String
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        InheritedFiles.close(by: &actions)
        // The test runner may block or ignore signals; the program must start with none of that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid: Int32 = 0
        let code = posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw WireError.system("posix_spawn \(arguments[0])", code) }
        return pid
    }

    /// Both outputs together where they go to a log.
    package var standardOutput: String { text("output") }
    /// Empty where both outputs go to a log.
    package var standardError: String { log == nil ? text("errors") : "" }

    private func text(_ name: String) -> String {
        let data = (try? Data(contentsOf: log.map { URL(filePath: $0) } ?? folder.appending(path: name))) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// The exit status once it has ended, or minus the number of the signal that ended it.
    package var exitStatus: Int32? {
        status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            guard waitpid(processID, &raw, WNOHANG) == processID else { return nil }
            let signal = raw & 0x7f
            status = signal == 0 ? (raw >> 8) & 0xff : -signal
            RunningChildren.remove(processID)
            return status
        }
    }

    /// - Throws: where it has not ended in time.
    package func exit(within: Duration = .seconds(15)) async throws -> Int32 {
        try await wait(until: "process \(processID) ends", within: within) { exitStatus != nil }
        return exitStatus ?? 0
    }

    package func signal(_ signal: Int32) {
        // A process that was reaped has given its id back; another one may have it.
        if exitStatus == nil { _ = Glibc.kill(processID, signal) }
    }

    /// Ends it at once and collects it.
    package func kill() {
        guard exitStatus == nil else { return }
        _ = Glibc.kill(processID, SIGKILL)
        status.withLock { status in
            guard status == nil else { return }
            var raw: Int32 = 0
            waitpid(processID, &raw, 0)
            status = -SIGKILL
        }
        RunningChildren.remove(processID)
    }
}

/// The processes to end when this one ends.
private enum RunningChildren {
    private static let processIDs = Mutex<Set<Int32>>([])
    private static let atExit: Void = {
        _ = atexit { RunningChildren.processIDs.withLock { $0.forEach { _ = Glibc.kill($0, SIGKILL) } } }
    }()

    static func add(_ processID: Int32) {
        _ = atExit
        _ = processIDs.withLock { $0.insert(processID) }
    }

    static func remove(_ processID: Int32) {
        _ = processIDs.withLock { $0.remove(processID) }
    }
}
