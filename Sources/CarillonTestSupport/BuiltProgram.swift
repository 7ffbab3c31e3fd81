import Foundation
import Glibc
import Synchronization

/// Where the built programs lie, and ports for them.
package enum BuiltProgram {
    /// `carillon-server`; `CARILLON_SERVER_BINARY` names another one.
    package static var server: String { path("carillon-server", override: "CARILLON_SERVER_BINARY") }
    package static var client: String { path("carillon-client", override: "CARILLON_CLIENT_BINARY") }
    package static var sender: String { path("carillon-sender", override: "CARILLON_SENDER_BINARY") }
    package static var bench: String { path("carillon-bench", override: "CARILLON_BENCH_BINARY") }
    package static var hostile: String { path("carillon-hostile", override: "CARILLON_HOSTILE_BINARY") }

    /// The library that moves the clock of a program it is loaded into.
    package static var fakeClock: String { path("libFakeClock.so", override: "CARILLON_FAKE_CLOCK_LIBRARY") }

    /// The library that counts the allocations of a program it is loaded into.
    package static var allocationCounter: String {
        path("libAllocationCounter.so", override: "CARILLON_ALLOCATION_COUNTER_LIBRARY")
    }

    private static func path(_ name: String, override: String) -> String {
        if let path = ProcessInfo.processInfo.environment[override], !path.isEmpty { return path }
        let beside = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let working = URL(filePath: FileManager.default.currentDirectoryPath).appending(path: ".build/debug")
        let candidates = [beside, working].map { $0.appending(path: name).path }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
    }

    private static let lastPort = Mutex(Int.random(in: 20_000..<32_000))

    /// A port that nobody listens on, outside the range that the system gives to outgoing connections.
    package static func freePort() throws -> Int {
        for _ in 0..<200 {
            // One after the other, so that no two tests of this process get the same before they listen.
            let port = lastPort.withLock { port in
                port = port < 31_999 ? port + 1 : 20_000
                return port
            }
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            let result = withUnsafeBytes(of: &address) {
                bind(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            }
            if result == 0 { return port }
        }
        throw WireError.unexpected("no free port")
    }
}
