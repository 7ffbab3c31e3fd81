import CarillonRedis

/// Why Redis did not do what it was asked for.
package struct StoreError: Error, Sendable {
    package enum Code: Sendable {
        /// Redis is away or did not answer in time; what was asked may have been done all the same.
        case unavailable
        /// Redis answered with an error.
        case refused
    }

    package let code: Code
    package let detail: String

    /// A stream has held the highest id there is, so nothing can be added to it any more.
    package var isExhausted: Bool { code == .refused && detail.contains("exhausted the last possible ID") }
    /// A key holds another type than ours: somebody else's doing, and the trouble of the user whose key it is alone.
    package var isWrongType: Bool { code == .refused && detail.hasPrefix("WRONGTYPE") }

    init(_ error: RedisError) {
        if case .server(let message) = error.code {
            code = .refused
            detail = message
        } else {
            code = .unavailable
            detail = "\(error)"
        }
    }

    init(refused detail: String) {
        code = .refused
        self.detail = detail
    }
}
