import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#endif

/// How this process asks the system for memory, and gives it back.
///
/// By itself glibc keeps what is freed: large blocks once it has seen one, and all that lies below anything that is still used. So after
/// a rush a process stays as large as it was.
enum Allocator {
    /// From this size on a block is the system's again as soon as it is freed.
    private static let largeBlockBytes: Int32 = 128 << 10

    #if canImport(Glibc)
    // SAFETY: the type is that of the declaration in glibc's malloc.h, which Swift does not see.
    private static let setOption = function("mallopt").map { unsafeBitCast($0, to: SetOption.self) }
    // SAFETY: the same.
    private static let trim = function("malloc_trim").map { unsafeBitCast($0, to: Trim.self) }

    private typealias SetOption = @convention(c) (Int32, Int32) -> Int32
    private typealias Trim = @convention(c) (Int) -> Int32

    private static func function(_ name: String) -> UnsafeMutableRawPointer? { dlsym(dlopen(nil, RTLD_NOW), name) }
    #endif

    /// Has large blocks given back when they are freed.
    ///
    /// - Source: mallopt(3), `M_MMAP_THRESHOLD`, which is -3
    static func giveBackLargeBlocks() {
        #if canImport(Glibc)
        _ = setOption?(-3, largeBlockBytes)
        #endif
    }

    /// Gives back whole pages of what is free.
    ///
    /// - Source: malloc_trim(3)
    static func giveBackFreePages() {
        #if canImport(Glibc)
        _ = trim?(0)
        #endif
    }
}

/// Gives free memory back now and then.
struct MemoryKeeper: Service {
    private static let interval = Duration.seconds(10)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                Allocator.giveBackFreePages()
            }
        }
    }
}
