import CLibFuzzer
import CarillonFuzz

#if canImport(Glibc)
import Glibc
#endif

/// Lets libFuzzer loose on one target, which FUZZ_TARGET names: not an argument, because libFuzzer starts itself again with its own.
@main struct Fuzz {
    static let target = FuzzTarget.all.first { $0.name == getenv("FUZZ_TARGET").map { String(cString: $0) } }

    static func main() {
        guard let target else {
            for target in FuzzTarget.all { print(target.name, target.longestInput) }
            return
        }
        var count = CommandLine.argc
        // SAFETY: the system's, which nobody else writes to; libFuzzer may put others in their place.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(LLVMFuzzerRunDriver(&count, &arguments, test))
    }

    /// A finding ends the process, and libFuzzer keeps the input.
    static let test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt = { bytes, count in
        do {
            try target?.check(UnsafeRawBufferPointer(start: bytes, count: count))
        } catch {
            fatalError("\(error)")
        }
        return 0
    }
}
