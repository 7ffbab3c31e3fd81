#if canImport(Glibc)
internal import Glibc
#endif

/// Descriptors that this process may have open.
enum OpenFiles {
    /// Each connection of an attack needs one here and one in the server, which inherits the limit.
    static func raiseLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
