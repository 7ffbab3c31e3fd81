import CarillonDomain

extension Problem {
    static let mediaType = "application/problem+json"

    static func badRequest(_ detail: String) -> Problem {
        Problem(status: 400, code: "bad_request", title: "Bad Request", detail: detail)
    }

    static let requestTimeout = Problem(
        status: 408,
        code: "request_timeout",
        title: "Request Timeout",
        detail: "the request did not arrive in full in time"
    )

    static func methodNotAllowed(_ method: String, allowed: [String]) -> Problem {
        Problem(
            status: 405,
            code: "method_not_allowed",
            title: "Method Not Allowed",
            detail: "\(method) is not possible here, only \(allowed.joined(separator: ", "))"
        )
    }

    static let expectationFailed = Problem(
        status: 417,
        code: "expectation_failed",
        title: "Expectation Failed",
        detail: "the only expectation that is met is 100-continue"
    )

    static let upgradeRequired = Problem(
        status: 426,
        code: "upgrade_required",
        title: "Upgrade Required",
        detail: "/ws speaks WebSocket only"
    )

    static let headTooLarge = Problem(
        status: 431,
        code: "head_too_large",
        title: "Request Header Fields Too Large",
        detail: "the request head is longer than \(HTTPConfiguration.headLimitBytes) bytes"
    )

    static let internalError = Problem(
        status: 500,
        code: "internal",
        title: "Internal Server Error",
        detail: "the server failed to answer; its log says why"
    )

    static let shuttingDown = Problem(
        status: 503,
        code: "shutting_down",
        title: "Service Unavailable",
        detail: "this pod is shutting down; another one will answer",
        retryAfterSeconds: 1
    )
}
