import Glibc

/// What the kernel says about this process, read when it is asked for.
///
/// - Source: proc(5); metric names of the Prometheus client guidelines
struct ProcessStatistics {
    var cpuSeconds = 0.0
    var residentBytes = 0
    var openDescriptors = 0
    var maxDescriptors = 0
    /// Unix time at which the process started.
    var startSeconds = 0.0

    static func current() -> ProcessStatistics {
        var statistics = ProcessStatistics()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        // The second field is the program's name in parentheses, which may hold anything; fields are counted after it.
        if let stat = readFile("/proc/self/stat"), let end = stat.lastIndex(of: ")") {
            let fields = stat[end...].split(separator: " ").dropFirst()
            func field(_ number: Int) -> Int { fields.dropFirst(number - 3).first.flatMap { Int($0) } ?? 0 }
            statistics.cpuSeconds = Double(field(14) + field(15)) / ticks
            statistics.startSeconds = bootSeconds + Double(field(22)) / ticks
            statistics.residentBytes = field(24) * sysconf(Int32(_SC_PAGESIZE))
        }
        statistics.openDescriptors = countDescriptors()
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            statistics.maxDescriptors = Int(clamping: limit.rlim_cur)
        }
        return statistics
    }

    func write(into text: inout ExpositionText) {
        func metric(_ name: String, _ kind: String, _ value: Double, _ help: String) {
            text.header(name, kind: kind, help: help)
            text.sample(name, labels: "", ExpositionText.number(value))
        }
        metric("process_cpu_seconds_total", "counter", cpuSeconds, "User and system CPU seconds of this process.")
        metric(
            "process_resident_memory_bytes",
            "gauge",
            Double(residentBytes),
            "Memory of this process that is in RAM."
        )
        metric("process_open_fds", "gauge", Double(openDescriptors), "Open file descriptors, sockets included.")
        metric("process_max_fds", "gauge", Double(maxDescriptors), "File descriptors that this process may open.")
        metric("process_start_time_seconds", "gauge", startSeconds, "Unix time at which this process started.")
    }

    /// Unix time of the machine's start, which the start of a process is counted from.
    private static let bootSeconds: Double = {
        let line = readFile("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst(6)) } ?? 0
    }()

    private static func countDescriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Not counted: `.`, `..` and the descriptor of this listing.
        return max(0, count - 3)
    }

    private static func readFile(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            let chunk = [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
                count = max(0, read(descriptor, buffer.baseAddress, 4_096))
            }
            guard !chunk.isEmpty else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk
        }
    }
}
