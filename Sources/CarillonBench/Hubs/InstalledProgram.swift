internal import Foundation

/// Programs of others, wherever the system keeps them.
enum InstalledProgram {
    /// Debian keeps servers where only root's path leads.
    private static let further = ["/usr/local/sbin", "/usr/sbin"]

    /// The program's file; nil where it is not installed.
    static func path(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (folders + further).map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
