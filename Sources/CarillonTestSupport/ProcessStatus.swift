import Foundation

/// What a process of this machine holds at a moment.
///
/// - Source: proc(5), `/proc/PID/status` and `/proc/PID/fd`
package struct ProcessStatus: Sendable, Equatable {
    package let residentBytes: Int
    package let threads: Int
    package let descriptors: Int

    package init(residentBytes: Int, threads: Int, descriptors: Int) {
        self.residentBytes = residentBytes
        self.threads = threads
        self.descriptors = descriptors
    }

    /// - Returns: nil where there is no such process, or one that has ended and holds nothing.
    package init?(pid: Int32) {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        func number(_ name: String) -> Int? {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        }
        guard let kibibytes = number("VmRSS"), let threads = number("Threads"),
            let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
        else { return nil }
        self.init(residentBytes: kibibytes * 1_024, threads: threads, descriptors: files.count)
    }
}
