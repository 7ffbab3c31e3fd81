package import CarillonTLS
import NIOCore

/// Where Redis is, how to sign in, and how patient to be.
package struct RedisConfiguration: Sendable {
    package enum Endpoint: Sendable, Hashable {
        case tcp(host: String, port: Int)
        /// A unix domain socket, spared TCP's overhead; TLS is not spoken over it.
        case unix(path: String)
    }

    package static let defaultPort = 6_379

    package var endpoint: Endpoint
    /// Nil: plain text.
    package var tls: TLSClientConfiguration?
    /// The ACL user; nil is Redis's `default`. Needs a password.
    package var username: String?
    package var password: String?
    /// Chosen with `SELECT`; 0 needs none.
    package var database = 0
    /// Shown by `CLIENT LIST`; without spaces. Redis's refusal of it is ignored.
    package var clientName: String?
    /// From the start of an attempt to its `PONG`, names, TLS and sign-in included.
    package var connectTimeout: Duration = .seconds(2)
    /// From `send` to the reply. A connection for blocking reads needs more than the longest block.
    package var commandTimeout: Duration = .seconds(5)
    /// Upper bound of the random pause before the second attempt; it doubles with each attempt.
    package var minimumBackoff: Duration = .milliseconds(50)
    /// Upper bound of every pause: service resumes within this and one round trip of Redis's return.
    package var maximumBackoff: Duration = .seconds(1)
    /// Commands without a reply; one more fails with `.overloaded`.
    package var maximumPendingReplies = 262_144
    /// Bytes encoded but not taken by the socket's channel; a command beyond it fails with `.overloaded`. As many
    /// again may be waiting in the channel itself.
    package var maximumOutgoingBytes = 64 * 1_024 * 1_024

    package init(endpoint: Endpoint = .tcp(host: "localhost", port: defaultPort)) {
        self.endpoint = endpoint
    }

    /// A random pause before attempt `attempt` (the first one after a failure is 1): anything from nothing to a bound
    /// that doubles, so that pods that lost the same Redis do not come back in step.
    func backoff(attempt: Int, using generator: inout some RandomNumberGenerator) -> TimeAmount {
        let lowest = TimeAmount(minimumBackoff).nanoseconds
        let highest = TimeAmount(maximumBackoff).nanoseconds
        let (scaled, overflow) = lowest.multipliedReportingOverflow(by: 1 << min(max(attempt - 1, 0), 32))
        let bound = max(0, overflow ? highest : min(scaled, highest))
        return .nanoseconds(.random(in: 0...bound, using: &generator))
    }
}

extension RedisConfiguration: CustomStringConvertible {
    /// The place and the database, without user and password: fit for logs.
    package var description: String { place(endpoint) }

    func place(_ endpoint: Endpoint) -> String {
        let database = database == 0 ? "" : "\(database)"
        switch endpoint {
        case .tcp(let host, let port):
            let bracketed = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
            return "\(tls == nil ? "redis" : "rediss")://\(bracketed):\(port)\(database.isEmpty ? "" : "/\(database)")"
        case .unix(let path):
            return "unix://\(path)\(database.isEmpty ? "" : "?db=\(database)")"
        }
    }
}
