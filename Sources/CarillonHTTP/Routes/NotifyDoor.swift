import CarillonDomain
import HTTPTypes
import Hummingbird
import NIOCore

/// The library's way to the notify service, for requests in an unusual form.
///
/// - Isolation: any; it hops to the service's loop
struct NotifyDoor: Sendable {
    private let service: NIOLoopBound<any NotifyService>
    private let eventLoop: any EventLoop

    init(_ service: NIOLoopBound<any NotifyService>, eventLoop: any EventLoop) {
        self.service = service
        self.eventLoop = eventLoop
    }

    func respond(to request: Request) async throws -> Response {
        guard Self.isJSON(request.headers) else { throw Problem.notJSON }
        let key = try Self.idempotencyKey(request.headers)
        // The connection has collected the body, and held it to the limit.
        let body = try await request.body.collect(upTo: .max)
        switch try await answer(to: body, key) {
        case .problem(let problem): throw problem
        case .accepted(let document, let replayed):
            var response = Response(status: .accepted, headers: [.contentType: "application/json"])
            if replayed { response.headers[.idempotentReplayed] = "true" }
            response.body = .init(byteBuffer: document)
            return response
        }
    }

    private func answer(to body: ByteBuffer, _ key: String?) async throws -> NotifyAnswer {
        try await eventLoop.flatSubmit {
            let waiting = WaitingResponder(eventLoop.makePromise())
            service.value.notify(body: body, idempotencyKey: key, respondingTo: waiting)
            return waiting.promise.futureResult
        }.get()
    }

    static func isJSON(_ headers: HTTPFields) -> Bool {
        guard headers[values: .contentEncoding].isEmpty else { return false }
        let types = headers[values: .contentType]
        guard types.count == 1 else { return false }
        let type = types[0].prefix { $0 != ";" }.lowercased()
        return type.split(separator: " ") == ["application/json"]
    }

    private static func idempotencyKey(_ headers: HTTPFields) throws(Problem) -> String? {
        let values = headers[values: .idempotencyKey]
        guard let value = values.first else { return nil }
        guard values.count == 1, let key = IdempotencyKey.parse(value.utf8) else { throw .badIdempotencyKey }
        return key
    }

    /// - Isolation: the service's loop
    private final class WaitingResponder: NotifyResponder {
        let promise: EventLoopPromise<NotifyAnswer>

        init(_ promise: EventLoopPromise<NotifyAnswer>) { self.promise = promise }

        func answered(_ answer: NotifyAnswer) { promise.succeed(answer) }
    }
}

extension HTTPField.Name {
    fileprivate static let idempotencyKey = HTTPField.Name("idempotency-key")!
    fileprivate static let idempotentReplayed = HTTPField.Name("idempotent-replayed")!
}
