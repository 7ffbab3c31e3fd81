import CarillonTestSupport
import Foundation

/// What processes of this machine have used so far.
///
/// - Source: proc(5), `/proc/PID/task/TID/schedstat`
struct ProcessMeter: Sendable {
    /// A hub may be several processes.
    let pids: [Int32]

    /// Time on a CPU, in nanoseconds; of threads that have ended nothing is counted.
    var cpuNanoseconds: UInt64 {
        pids.reduce(0) { sum, pid in
            let folder = "/proc/\(pid)/task"
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return threads.reduce(sum) { sum, thread in
                let line = (try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)) ?? ""
                return sum + (line.split(separator: " ").first.flatMap { UInt64($0) } ?? 0)
            }
        }
    }

    /// Resident memory.
    var residentBytes: Int { pids.reduce(0) { $0 + (ProcessStatus(pid: $1)?.residentBytes ?? 0) } }
}
