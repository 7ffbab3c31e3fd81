import CarillonDomain
import HTTPTypes
import Hummingbird

/// Turns every failure into `application/problem+json`, and answers what the router does not: OPTIONS, 404 and 405.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = BasicRequestContext

    let files: StaticFiles?

    @concurrent
    func handle(
        _ request: Request,
        context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            guard Self.isCanonical(request.uri.path) else { throw Problem.notFound }
            return try await next(request, context)
        } catch let problem as Problem {
            var response = Response(problem)
            if problem.status == 426 {
                response.headers[.upgrade] = "websocket"
                response.headers[.connection] = "Upgrade"
            }
            return response
        } catch let error as HTTPError where error.status == .notFound {
            return unrouted(request)
        } catch let error as HTTPError {
            return Response(
                Problem(
                    status: error.status.code,
                    code: "http_\(error.status.code)",
                    title: error.status.reasonPhrase,
                    detail: error.body ?? error.status.reasonPhrase
                )
            )
        }
    }

    /// Hummingbird's router takes `/a//b/` for `/a/b`; here they are two paths.
    private static func isCanonical(_ path: String) -> Bool {
        guard !path.utf8.isAdjacent(UInt8(ascii: "/")) else { return false }
        // The lists of inboxes are known by both forms of their name.
        return path == "/" || !path.hasSuffix("/") || InboxRoutes.bases.contains { path == $0.path + "/" }
    }

    /// The answer where path and method together have no route.
    private func unrouted(_ request: Request) -> Response {
        let path = request.uri.path
        let allowed: [String]
        if let methods = Routes.methods(of: path) {
            let names = methods.flatMap { $0 == .get ? ["GET", "HEAD"] : [$0.rawValue] }
            allowed = names + ["OPTIONS"]
        } else if path == "*" {
            allowed = ["GET", "HEAD", "OPTIONS", "POST"]
        } else if let files, files.contains(path) {
            allowed = ["GET", "HEAD", "OPTIONS"]
        } else {
            return Response(.notFound)
        }
        var response =
            request.method == .options
            ? Response(status: .noContent)
            : Response(.methodNotAllowed(request.method.rawValue, allowed: allowed))
        response.headers[.allow] = allowed.joined(separator: ", ")
        return response
    }
}

extension Sequence<UInt8> {
    /// Whether `byte` stands twice in a row.
    fileprivate func isAdjacent(_ byte: UInt8) -> Bool {
        var previous: UInt8?
        for next in self {
            if next == byte, previous == byte { return true }
            previous = next
        }
        return false
    }
}
