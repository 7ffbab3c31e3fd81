import Glibc
import Synchronization

/// A program that runs in a process group of its own and ends when this process does, however this one ends.
///
/// The terminal's Ctrl-C does not reach another group, so the program outlives the draining of the server. A
/// parent-death signal would follow the thread that started the program, not the process; instead a watching shell reads
/// from a socket: its end of file, which even SIGKILL brings about, makes the shell end the program.
///
/// - Isolation: any thread
final class ChildProcess: Sendable {
    let pid: pid_t
    private let state: Mutex<State>

    private struct State {
        /// This process's end of the watcher's socket; nil once the watcher was dismissed.
        var leash: Int32?
        /// Whether the program ended and was waited for, so that its id may be another program's.
        var hasEnded = false
    }

    /// `$$` is the shell's id, which the program keeps after `exec`. The watcher hangs below a shell that ends at once, so
    /// that it is no child of the program.
    private static let script = """
        exec 3<&0 </dev/null
        ( ( read -r line <&3 || kill -TERM $$ ) >/dev/null 2>&1 & )
        exec "$@" 3<&-
        """

    /// - Parameters:
    ///   - program: Absolute path.
    ///   - output: File that standard output and standard error are appended to.
    /// - Throws: `DevError` with the system's reason.
    init(program: String, arguments: [String], output: String) throws(DevError) {
        var ends: [Int32] = [0, 0]
        // A socket pair can be closed on exec from the start, unlike a pipe; another program that got hold of this end
        // would keep it open.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw DevError("no socket: \(Self.reason(errno))") }
        defer { close(ends[0]) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this process ignores or blocks would be inherited, and the program could not be stopped.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        )

        var words = (["sh", "-c", Self.script, "sh", program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var child = pid_t()
        let result = posix_spawn(&child, "/bin/sh", &actions, &attributes, words, environ)
        guard result == 0 else {
            close(ends[1])
            throw DevError("cannot start \(program): \(Self.reason(result))")
        }
        pid = child
        state = Mutex(State(leash: ends[1]))
    }

    /// Closes the socket without a word, as the kernel does when this process is killed: the watcher ends the program.
    deinit {
        state.withLock { state in
            if let leash = state.leash { close(leash) }
        }
    }

    /// Whether the program still runs.
    var isRunning: Bool {
        state.withLock { state in
            guard !state.hasEnded else { return false }
            guard waitpid(pid, nil, WNOHANG) == pid else { return true }
            state.hasEnded = true
            Self.dismissWatcher(&state)
            return false
        }
    }

    /// Asks the program to end with SIGTERM, waits, and kills it after `limit`. Later calls return when it has ended.
    func stop(within limit: Duration) async {
        signal(SIGTERM)
        if await !hasEnded(within: limit) {
            signal(SIGKILL)
            _ = await hasEnded(within: .seconds(5))
        }
    }

    private func signal(_ number: Int32) {
        state.withLock { state in
            if !state.hasEnded { _ = kill(pid, number) }
        }
    }

    private func hasEnded(within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while isRunning {
            guard ContinuousClock.now < deadline else { return false }
            // A cancelled task still has to wait for the end, if less patiently for the processor.
            do { try await Task.sleep(for: .milliseconds(10)) } catch { usleep(10_000) }
        }
        return true
    }

    /// A line instead of an end of file tells the watcher that there is nothing left to end.
    private static func dismissWatcher(_ state: inout State) {
        guard let leash = state.leash else { return }
        _ = send(leash, "\n", 1, Int32(MSG_NOSIGNAL))
        close(leash)
        state.leash = nil
    }

    private static func reason(_ number: Int32) -> String {
        String(cString: strerror(number))
    }
}
