import Foundation

/// What this machine offers.
enum FileSystem {
    /// Whether the loopback interface has an IPv6 address.
    static var hasIPv6: Bool {
        let table = (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? ""
        return table.contains("00000000000000000000000000000001")
    }
}
