import Foundation

/// What a process of this machine holds at a moment. Linux only.
///
/// - Source: proc(5), `/proc/PID/status` and `/proc/PID/fd`
package struct ProcessGauge: Sendable {
    package let processID: Int32

    package init(_ processID: Int32) { self.processID = processID }

    /// Resident memory; zero where there is no such process.
    package var residentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1_024
    }

    /// Open descriptors, sockets among them.
    package var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count) ?? 0
    }
}
