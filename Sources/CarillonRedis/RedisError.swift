/// Why a command has no usable reply, or why a configuration cannot be used.
///
/// Two errors are equal when their codes are; `detail` is for people.
package struct RedisError: Error, Sendable {
    package enum Code: Sendable, Hashable {
        /// There was no usable connection and nothing was sent: safe to repeat.
        case unavailable
        /// The connection broke after the command was sent.
        case connectionLost
        /// No reply within `RedisConfiguration.commandTimeout`.
        case timeout
        /// Too much is waiting for Redis already; nothing was sent.
        case overloaded
        /// Redis answered with an error; the text starts with its own code, such as `WRONGTYPE` or `LOADING`.
        case server(String)
        /// What came from the other side is not RESP2, or answers nothing that was asked.
        case protocolViolation
        /// A setting that cannot work.
        case invalidConfiguration(String)
    }

    package let code: Code
    /// What led to it, such as the operating system's words; may be empty. Never holds a password.
    package let detail: String

    package init(_ code: Code, detail: String = "") {
        self.code = code
        self.detail = detail
    }

    /// Whether Redis may have executed the command although no reply says so. Such a command must not be repeated
    /// blindly unless it is idempotent.
    package var outcomeUnknown: Bool {
        switch code {
        case .connectionLost, .timeout, .protocolViolation: true
        case .unavailable, .overloaded, .server, .invalidConfiguration: false
        }
    }

    /// The first word of an error reply, such as `NOGROUP`; nil for every other error.
    package var serverCode: Substring? {
        guard case .server(let message) = code else { return nil }
        return message.prefix { $0 != " " }
    }

    /// What a command hears that was not sent because of this error.
    var asUnavailable: RedisError {
        code == .unavailable ? self : RedisError(.unavailable, detail: description)
    }
}

extension RedisError: Equatable {
    package static func == (left: RedisError, right: RedisError) -> Bool {
        left.code == right.code
    }
}

extension RedisError: CustomStringConvertible {
    package var description: String {
        let summary =
            switch code {
            case .unavailable: "Redis is not available"
            case .connectionLost: "the connection to Redis was lost"
            case .timeout: "Redis did not answer in time"
            case .overloaded: "too many commands are waiting for Redis"
            case .server(let message): message
            case .protocolViolation: "Redis sent what cannot be understood"
            case .invalidConfiguration(let message): message
            }
        if detail.isEmpty { return summary }
        if case .server = code { return "\(detail): \(summary)" }
        return "\(summary): \(detail)"
    }
}
