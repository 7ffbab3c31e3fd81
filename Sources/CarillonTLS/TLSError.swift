internal import COpenSSL

/// Why a TLS connection could not be set up, or had to be given up.
///
/// Two errors are equal when their codes are; the message is for people.
package struct TLSError: Error, Sendable {
    package enum Code: Sendable {
        /// The CA file or the host name of the configuration cannot be used.
        case configuration
        /// The peer's certificate is not trusted, not valid now, or not for this host.
        case certificate
        /// The handshake failed for another reason, or took too long.
        case handshake
        /// The connection ended without close_notify, so that its end may be missing.
        case truncated
        /// A record could not be decrypted, or the peer broke the protocol after the handshake.
        case protocolViolation
    }

    package let code: Code
    /// What happened, in words fit for a log line.
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Empties this thread's OpenSSL error queue into an error; `what` says what was being done.
    static func fromQueue(_ code: Code, _ what: String) -> TLSError {
        var reasons: [String] = []
        while case let error = ERR_get_error(), error != 0 {
            if let reason = ERR_reason_error_string(error) {
                reasons.append(String(cString: reason))
            } else {
                reasons.append("error \(error)")
            }
        }
        return TLSError(code, reasons.isEmpty ? what : "\(what): \(reasons.joined(separator: ", "))")
    }
}

extension TLSError: Equatable {
    package static func == (left: TLSError, right: TLSError) -> Bool { left.code == right.code }
}

extension TLSError: CustomStringConvertible {
    package var description: String { message }
}
