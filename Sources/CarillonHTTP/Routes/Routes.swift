import CarillonDomain
import HTTPTypes
import Hummingbird
import NIOCore

/// What the routes need from the rest of the process.
package struct RouteServices: Sendable {
    package let admin: any AdminService
    package let inbox: any InboxService
    package let health: any HealthService
    package let metrics: any MetricsSource

    package init(
        admin: any AdminService,
        inbox: any InboxService,
        health: any HealthService,
        metrics: any MetricsSource
    ) {
        self.admin = admin
        self.inbox = inbox
        self.health = health
        self.metrics = metrics
    }
}

/// The router of the library's way, with all paths that the server knows.
struct Routes {
    let services: RouteServices
    let notify: NotifyDoor
    let files: StaticFiles?
    let userIDs: UserIDKind
    let crossOrigin: CrossOrigin?

    /// Its connections leave the library before the router.
    static let stream = "/api/v1/stream"

    /// Known paths and their methods; HEAD and OPTIONS come by themselves. A `*` stands for any one segment.
    static let methods: [(path: String, methods: [HTTPRequest.Method])] = {
        var table: [(String, [HTTPRequest.Method])] = [
            ("/api/v1/notify", [.post]),
            ("/api/v1/notify/*", [.get, .delete]),
            ("/health", [.get]),
            ("/live", [.get]),
            ("/ready", [.get]),
            ("/metrics", [.get]),
            ("/ws", [.get]),
            (stream, [.get]),
            ("/api/v1/admin/clients", [.get]),
            ("/api/v1/admin/users", [.get]),
            ("/api/v1/admin/pods", [.get]),
            ("/api/v1/admin/pending", [.get]),
            ("/api/v1/admin/history", [.get]),
        ]
        for (base, _) in InboxRoutes.bases {
            table += [
                (base, [.get, .post]), ("\(base)/unread-count", [.get]), ("\(base)/count", [.get]),
                ("\(base)/health", [.get]), ("\(base)/read-all", [.put]), ("\(base)/seen-all", [.put]),
                ("\(base)/channels", [.get]), ("\(base)/channels/*", [.put, .delete]),
                ("\(base)/retention", [.get, .put]),
                ("\(base)/*", [.get, .delete]),
            ]
            table += InboxRoutes.verbs.map { ("\(base)/*/\($0)", [.put]) }
        }
        return table
    }()

    /// The methods that a path has; nil where it is unknown.
    static func methods(of path: String) -> [HTTPRequest.Method]? {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        return methods.first { known in
            let pattern = known.path.split(separator: "/", omittingEmptySubsequences: false)
            return pattern.count == segments.count && zip(pattern, segments).allSatisfy { $0 == "*" || $0 == $1 }
        }?.methods
    }

    func responder() -> any HTTPResponder<BasicRequestContext> {
        let router = Router()
        if let crossOrigin { router.add(middleware: CrossOriginMiddleware(policy: crossOrigin)) }
        router.add(middleware: ProblemMiddleware(files: files))
        for path in ["/api/v1/notify"] + InboxRoutes.bases.map(\.path) {
            router.post(RouterPath(path)) { request, _ in try await notify.respond(to: request) }
        }
        router.get("/ws") { _, _ -> Response in throw Problem.upgradeRequired }
        addHealth(to: router)
        InboxRoutes(service: services.inbox, userIDs: userIDs).add(to: router)
        addAdmin(to: router)
        if let files {
            router.get("/") { request, _ in try files.respond(to: request) }
            router.get("/**") { request, _ in try files.respond(to: request) }
        }
        return router.buildResponder()
    }

    private func addHealth(to router: Router<BasicRequestContext>) {
        router.get("/live") { _, _ in Response.json(ByteBuffer(string: "{\"status\":\"healthy\"}")) }
        for path in ["/health"] + InboxRoutes.bases.map({ "\($0.path)/health" }) {
            router.get(RouterPath(path)) { _, _ in Response(await services.health.health()) }
        }
        router.get("/ready") { _, _ in Response(await services.health.ready()) }
        router.get("/metrics") { _, _ in
            let headers: HTTPFields = [
                .contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store",
            ]
            let text = ByteBuffer(string: await services.metrics.exposition())
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: text))
        }
    }

    private func addAdmin(to router: Router<BasicRequestContext>) {
        let admin = services.admin
        router.get("/api/v1/admin/clients") { request, _ in
            Response.json(Documents.clients(try await admin.clients(page: Page(request.parameters))))
        }
        router.get("/api/v1/admin/users") { request, _ in
            Response.json(Documents.users(try await admin.users(page: Page(request.parameters))))
        }
        router.get("/api/v1/admin/pods") { _, _ in Response.json(Documents.pods(try await admin.pods())) }
        router.get("/api/v1/admin/pending") { request, _ in
            Response.json(Documents.pending(try await admin.pending(page: Page(request.parameters))))
        }
        router.get("/api/v1/admin/history") { request, _ in
            let parameters = request.parameters
            let user = try User.parse(id: parameters["user_id"], login: parameters["login"], ids: userIDs)
            return Response.json(Documents.history(try await admin.history(user: user)))
        }
    }
}

extension Request {
    fileprivate var parameters: QueryParameters { QueryParameters(uri.query ?? "") }
}

extension Response {
    /// A document that is true for this moment only.
    static func json(_ document: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: document)
        )
    }

    fileprivate init(_ report: HealthReport) {
        self = .json(Documents.health(report, at: .now()), status: report.healthy ? .ok : .serviceUnavailable)
        if !report.healthy { headers[.retryAfter] = "1" }
    }

    init(_ problem: Problem) {
        self.init(
            status: .init(code: problem.status, reasonPhrase: problem.title),
            headers: [.contentType: Problem.mediaType, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: problem.json))
        )
        if let seconds = problem.retryAfterSeconds { headers[.retryAfter] = "\(seconds)" }
    }
}
