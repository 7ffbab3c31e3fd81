import Glibc

/// Keeps a child from inheriting what this process has open. Otherwise a server would keep other tests' sockets open, and
/// their peers would wait for the end of the stream in vain.
enum InheritedFiles {
    private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

    /// glibc hides this function from Swift.
    private static let closeFrom: CloseFrom? = {
        let symbol = dlsym(dlopen(nil, RTLD_NOW), "posix_spawn_file_actions_addclosefrom_np")
        // SAFETY: the type is that of the declaration in glibc's spawn.h.
        return symbol.map { unsafeBitCast($0, to: CloseFrom.self) }
    }()

    /// Has the child close everything but standard input and output.
    static func close(by actions: inout posix_spawn_file_actions_t) {
        _ = closeFrom?(&actions, 3)
    }
}
