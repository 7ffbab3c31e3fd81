import CarillonTestSupport
import Foundation

/// Sets the wall clock of one pod, by a library that is loaded into it and a file that both look at.
///
/// Only the wall clock moves. Clocks that count from the start of the machine, and timers, cannot jump on a real one either.
///
/// - Source: Sources/CFakeClock
struct FakeClock: Sendable {
    private let file: URL

    /// - Parameter file: Made here; it says what is added to the time.
    init(file: String) throws {
        self.file = URL(filePath: file)
        guard FileManager.default.fileExists(atPath: BuiltProgram.fakeClock) else {
            throw WireError.unexpected("\(BuiltProgram.fakeClock) is not built")
        }
        try Self.bytes(0).write(to: self.file)
    }

    /// Settings with which a program starts whose clock can be set.
    var environment: [String: String] { ["LD_PRELOAD": BuiltProgram.fakeClock, "FAKE_CLOCK": file.path] }

    /// Puts the clock that far from the true time.
    func jump(bySeconds seconds: Int) throws {
        // In place: the program has mapped this very file.
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        try handle.write(contentsOf: Self.bytes(seconds))
    }

    private static func bytes(_ seconds: Int) -> Data { withUnsafeBytes(of: Int64(seconds)) { Data($0) } }
}
