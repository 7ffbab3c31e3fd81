import Foundation

/// Sets the clock of one pod, by way of libfaketime and a file that it reads again and again.
///
/// Only the wall clock moves. Clocks that count from the start of the machine cannot jump on a real one either.
///
/// - Source: libfaketime 0.9.10, README (FAKETIME_TIMESTAMP_FILE, FAKETIME_DONT_FAKE_MONOTONIC, FAKETIME_CACHE_DURATION)
struct FakeClock: Sendable {
    private let library: String
    private let file: String

    /// The library where Debian puts it; nil where it is not installed.
    static var library: String? {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        let candidates = folders.map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
        return candidates.first { FileManager.default.fileExists(atPath: $0) }
    }

    /// - Parameter folder: Where the file lies that says what time it is.
    init?(folder: String) throws {
        guard let library = Self.library else { return nil }
        self.library = library
        file = "\(folder)/clock"
        try jump(bySeconds: 0)
    }

    /// Settings with which a program starts whose clock can be set.
    var environment: [String: String] {
        [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
    }

    /// Puts the clock that far from the true time; the program sees it within a second.
    func jump(bySeconds seconds: Int) throws {
        let text = seconds < 0 ? "\(seconds)\n" : "+\(seconds)\n"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
}
