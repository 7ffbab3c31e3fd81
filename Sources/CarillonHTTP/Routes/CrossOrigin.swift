import CarillonDomain
import HTTPTypes
import Hummingbird

/// What answers say to browsers about pages of other origins.
///
/// Hummingbird has a middleware for this that takes no list made at run time, takes every OPTIONS for a pre-flight, and cannot be
/// asked by those who answer without the router: event streams, and the refusals of requests that break HTTP.
/// - Source: Fetch Standard §3.3
struct CrossOrigin: Sendable {
    let allowed: AllowedOrigins

    private static let methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
    private static let requestHeaders = "Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Authorization"
    private static let exposedHeaders = "ETag, Retry-After, Idempotent-Replayed"
    /// Seconds for which a browser remembers the answer to a pre-flight.
    private static let maxAge = "600"

    /// What every answer to a request of this origin carries. It depends on the origin, which caches have to know, unless all may
    /// call.
    func fields(for origin: String?) -> HTTPFields {
        var fields = HTTPFields()
        if allowed != .any { fields[.vary] = "Origin" }
        if let answer = allowed.answer(to: origin) {
            fields[.accessControlAllowOrigin] = answer
            fields[.accessControlExposeHeaders] = Self.exposedHeaders
        }
        return fields
    }

    /// The same as whole header lines.
    func lines(for origin: String?) -> String {
        fields(for: origin).reduce(into: "") { $0 += "\($1.name.rawName.lowercased()): \($1.value)\r\n" }
    }

    /// The answer to a browser that asks before it sends a request; nil for any other request, and where it may not send one.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, request.headers[.accessControlRequestMethod] != nil,
            let origin = request.headers[.origin], let answer = allowed.answer(to: origin)
        else { return nil }
        let headers: HTTPFields = [
            .accessControlAllowOrigin: answer, .accessControlAllowMethods: Self.methods,
            .accessControlAllowHeaders: Self.requestHeaders, .accessControlMaxAge: Self.maxAge, .vary: "Origin",
        ]
        return Response(status: .noContent, headers: headers)
    }
}

/// Answers pre-flights, and adds to all other answers what browsers want to know.
struct CrossOriginMiddleware: RouterMiddleware {
    typealias Context = BasicRequestContext

    let policy: CrossOrigin

    @concurrent
    func handle(
        _ request: Request,
        context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        if let answer = policy.preflight(request) { return answer }
        var response = try await next(request, context)
        response.headers.append(contentsOf: policy.fields(for: request.headers[.origin]))
        return response
    }
}
