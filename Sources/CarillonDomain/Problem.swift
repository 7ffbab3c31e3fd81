/// An error that a caller of the HTTP interface sees, as `application/problem+json`.
///
/// - Source: RFC 9457
package struct Problem: Error, Hashable, Sendable {
    /// HTTP status.
    package let status: Int
    /// A short code that stays the same when wording changes, such as `invalid_field`.
    package let code: String
    package let title: String
    package let detail: String
    /// What was wrong with which field, for validation errors.
    package let fields: [Field]
    /// Seconds for `Retry-After`, where waiting helps.
    package let retryAfterSeconds: Int?

    package struct Field: Hashable, Sendable {
        /// JSON pointer (RFC 6901) into the request body, or the name of a query parameter.
        package let pointer: String
        package let detail: String

        package init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    package init(
        status: Int,
        code: String,
        title: String,
        detail: String,
        fields: [Field] = [],
        retryAfterSeconds: Int? = nil
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.fields = fields
        self.retryAfterSeconds = retryAfterSeconds
    }
}

extension Problem {
    package static func malformedJSON(_ detail: String) -> Problem {
        Problem(status: 400, code: "malformed_json", title: "Bad Request", detail: detail)
    }

    package static func badParameter(_ name: String, _ detail: String) -> Problem {
        Problem(
            status: 400,
            code: "invalid_parameter",
            title: "Bad Request",
            detail: "\(name): \(detail)",
            fields: [Field(pointer: name, detail: detail)]
        )
    }

    package static func invalid(_ fields: [Field]) -> Problem {
        Problem(
            status: 422,
            code: "invalid_field",
            title: "Unprocessable Content",
            detail: fields.first.map { "\($0.pointer): \($0.detail)" } ?? "the request is not valid",
            fields: fields
        )
    }

    package static func tooLarge(limit: Int) -> Problem {
        Problem(
            status: 413,
            code: "body_too_large",
            title: "Content Too Large",
            detail: "the body is longer than \(limit) bytes"
        )
    }

    package static let notJSON = Problem(
        status: 415,
        code: "not_json",
        title: "Unsupported Media Type",
        detail: "the body must be application/json"
    )

    package static let notFound = Problem(
        status: 404,
        code: "not_found",
        title: "Not Found",
        detail: "there is nothing at this path"
    )

    package static let badIdempotencyKey = Problem(
        status: 400,
        code: "invalid_idempotency_key",
        title: "Bad Request",
        detail: "an Idempotency-Key is 1 to 255 bytes"
    )

    package static let idempotencyKeyReused = Problem(
        status: 422,
        code: "idempotency_key_reused",
        title: "Unprocessable Content",
        detail: "this Idempotency-Key was used with another body"
    )

    package static let idempotencyKeyRunning = Problem(
        status: 409,
        code: "idempotency_key_running",
        title: "Conflict",
        detail: "the first request with this Idempotency-Key is still running",
        retryAfterSeconds: 1
    )

    /// Redis did not confirm. `stored` of `total` targets are known to be stored.
    package static func redisAway(stored: Int = 0, of total: Int = 0) -> Problem {
        Problem(
            status: 503,
            code: "redis_unavailable",
            title: "Service Unavailable",
            detail: stored == 0
                ? "Redis did not confirm; some of it may be stored"
                : "Redis confirmed \(stored) of \(total) targets; some of the others may be stored",
            retryAfterSeconds: 1
        )
    }

    /// Fewer replicas of Redis than are wanted (`NOTIFY_WAIT_REPLICAS`) have what was stored.
    package static func notReplicated() -> Problem {
        Problem(
            status: 503,
            code: "not_replicated",
            title: "Service Unavailable",
            detail: "It is stored, but too few replicas of Redis confirmed it in time",
            retryAfterSeconds: 1
        )
    }

    /// The `application/problem+json` document.
    package var json: String {
        var text = "{\"type\":\"about:blank\",\"title\":\(JSON.quoted(title)),\"status\":\(status)"
        text += ",\"detail\":\(JSON.quoted(detail)),\"status_code\":\(status),\"error\":\(JSON.quoted(code))"
        if !fields.isEmpty {
            let rows = fields.map { "{\"pointer\":\(JSON.quoted($0.pointer)),\"detail\":\(JSON.quoted($0.detail))}" }
            text += ",\"errors\":[\(rows.joined(separator: ","))]"
        }
        return text + "}"
    }
}
