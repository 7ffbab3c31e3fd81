#if canImport(Glibc)
import Glibc
#endif

/// How this process asks the system for memory.
enum Allocator {
    private typealias SetOption = @convention(c) (Int32, Int32) -> Int32

    /// From this size on a block is the system's again as soon as it is freed.
    private static let largeBlockBytes: Int32 = 128 << 10

    /// Has large blocks given back when they are freed.
    ///
    /// By itself glibc keeps them once it has seen some, so that after a rush of long messages the process stays as large as it was.
    ///
    /// - Source: mallopt(3), `M_MMAP_THRESHOLD`, which is -3
    static func giveBackLargeBlocks() {
        #if canImport(Glibc)
        // A header that Swift does not see.
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "mallopt") else { return }
        // SAFETY: the type is that of the declaration in glibc's malloc.h.
        _ = unsafeBitCast(symbol, to: SetOption.self)(-3, largeBlockBytes)
        #endif
    }
}
