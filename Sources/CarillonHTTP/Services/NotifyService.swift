package import CarillonDomain
package import NIOCore

/// What stores notifications: the other side of `POST /api/v1/notify`.
///
/// - Isolation: event loop of the server
package protocol NotifyService: AnyObject {
    /// Takes one request; `responder` hears the answer exactly once, during this call or later on the same loop.
    ///
    /// - Parameters:
    ///   - body: The request's body, unparsed and at most `HTTPConfiguration.bodyLimitBytes` long. It may be a slice of
    ///     what was read from the socket, so who keeps it for long copies it.
    ///   - idempotencyKey: 1...255 bytes, unquoted.
    func notify(body: ByteBuffer, idempotencyKey: String?, respondingTo responder: any NotifyResponder)
}

/// Who waits for the answer to one notify request; class-bound, so that passing it on allocates nothing.
///
/// - Isolation: event loop of the server
package protocol NotifyResponder: AnyObject {
    func answered(_ answer: NotifyAnswer)
}

/// The answer to one notify request.
package enum NotifyAnswer: Sendable {
    /// 202 with this JSON document; `replayed` where an earlier request with the same key made it.
    case accepted(body: ByteBuffer, replayed: Bool)
    case problem(Problem)

    var status: Int {
        switch self {
        case .accepted: 202
        case .problem(let problem): problem.status
        }
    }
}

/// What connections of devices go to.
///
/// - Isolation: event loop of the server
package protocol UpgradeTarget: AnyObject {
    /// Takes a connection over whose next request is a complete head of `GET /ws`.
    ///
    /// The pipeline is empty when this is called, no timer of the HTTP side runs on the connection any more, and bytes
    /// that arrive from now on go to whatever handlers the target adds.
    /// - Parameter bytes: Everything received and not yet answered: the request head, byte for byte or (behind earlier
    ///   library requests) rebuilt from its parsed form, and what came after it. It is not fired through the pipeline.
    func takeOver(channel: any Channel, bytes: ByteBuffer)

    /// Takes a connection over whose last request is one for an event stream. The pipeline is as empty as for a WebSocket; bytes
    /// behind the request mean nothing.
    func openStream(on channel: any Channel, _ request: StreamRequest)
}

/// A `GET` or `HEAD` of `/api/v1/stream`.
package struct StreamRequest: Equatable, Sendable {
    /// What follows `?` in the target, percent-encoded as it came.
    package let query: String
    /// `Last-Event-ID`, as it came.
    package let lastEventID: String?
    package let isHead: Bool
    /// Whole header lines that belong into the answer.
    package let answerLines: String
}
