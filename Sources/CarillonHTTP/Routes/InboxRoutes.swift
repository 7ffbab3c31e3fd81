import CarillonDomain
import CarillonStore
import HTTPTypes
import Hummingbird
import NIOCore

/// The routes of the users' inboxes, under both of their names, and those about single notifications.
struct InboxRoutes: Sendable {
    let service: any InboxService
    let userIDs: UserIDKind

    static let bases: [(path: String, style: InboxStyle)] = [
        ("/api/v1/notifications", .snake), ("/api/notifications", .camel),
    ]
    static let verbs = ["read"] + otherVerbs
    private static let otherVerbs = ["unread", "seen", "archive", "unarchive", "snooze", "unsnooze"]

    func add(to router: Router<BasicRequestContext>) {
        for (base, style) in Self.bases {
            let path = RouterPath(base)
            router.get(path) { request, _ in try await list(request, style) }
            router.get("\(base)/unread-count") { request, _ in try await count(request, style, ofUnread: true) }
            router.get("\(base)/count") { request, _ in try await count(request, style, ofUnread: false) }
            router.put("\(base)/read-all") { request, _ in try await readAll(request, style) }
            router.put("\(base)/seen-all") { request, _ in try await seeAll(request, style) }
            router.get("\(base)/channels") { request, _ in try await channels(request, style) }
            router.put("\(base)/channels/:channel") { request, context in
                try await subscribe(request, context, style)
            }
            router.delete("\(base)/channels/:channel") { request, context in
                try await unsubscribe(request, context, style)
            }
            router.get("\(base)/retention") { request, _ in try await retention(request, style) }
            router.put("\(base)/retention") { request, _ in try await setRetention(request, style) }
            router.get("\(base)/:id") { request, context in try await single(request, context, style) }
            router.delete("\(base)/:id") { request, context in try await remove(request, context, style) }
            router.put("\(base)/:id/read") { request, context in try await read(request, context, style) }
            for verb in Self.otherVerbs {
                router.put("\(base)/:id/\(verb)") { request, context in
                    try await change(request, context, verb, style)
                }
            }
        }
        router.get("/api/v1/notify/:id") { _, context in
            Response.inbox(InboxDocuments.report(try await service.report(on: try Self.id(context))))
        }
        router.delete("/api/v1/notify/:id") { _, context in
            let id = try Self.id(context)
            try await service.withdraw(id)
            return Response.inbox(InboxDocuments.withdrawn(id))
        }
    }

    /// Who the inbox belongs to. Whatever will prove it one day is asked here.
    func user(_ request: Request) throws(Problem) -> User {
        let parameters = QueryParameters(request.uri.query ?? "")
        return try User.parse(id: parameters["user_id"], login: parameters["login"], ids: userIDs)
    }

    private static func id(_ context: BasicRequestContext) throws(Problem) -> NotificationID {
        guard let text = context.parameters.get("id").flatMap(QueryParameters.percentDecoded), !text.isEmpty,
            text.utf8.count <= Limits.notificationIDBytes
        else { throw .notificationNotFound }
        return NotificationID(text)
    }

    // MARK: - Reading

    private func list(_ request: Request, _ style: InboxStyle) async throws(Problem) -> Response {
        let user = try user(request)
        let query = try InboxQuery(QueryParameters(request.uri.query ?? ""))
        let known = request.headers[values: .ifNoneMatch]
        let page = try await service.page(query, of: user) { page, hasChanged in
            if !known.isEmpty {
                return !EntityTag.isListed(EntityTag.of(InboxDocuments.page(page, query, of: user, style)), in: known)
            }
            return query.filter.since == nil ? hasChanged : !page.items.isEmpty
        }
        return .inbox(InboxDocuments.page(page, query, of: user, style), for: request)
    }

    private func count(
        _ request: Request,
        _ style: InboxStyle,
        ofUnread isUnread: Bool
    ) async throws(Problem) -> Response {
        let user = try user(request)
        let filter = try InboxFilter(QueryParameters(request.uri.query ?? ""))
        let counted = try await service.count(filter, of: user)
        let count = isUnread ? counted.unread : counted.count
        return .inbox(InboxDocuments.count(count, unread: counted.unread, style), for: request)
    }

    private func single(
        _ request: Request,
        _ context: BasicRequestContext,
        _ style: InboxStyle
    ) async throws(Problem) -> Response {
        let user = try user(request)
        let item = try await service.item(try Self.id(context), of: user)
        return .inbox(InboxDocuments.single(item, of: user, style), for: request)
    }

    // MARK: - Changing

    private func read(
        _ request: Request,
        _ context: BasicRequestContext,
        _ style: InboxStyle
    ) async throws -> Response {
        let user = try user(request)
        let id = try Self.id(context)
        let state = try await service.read(id, at: try await time("read_at", or: "readAt", request), of: user)
        return .inbox(InboxDocuments.state(state, message: "Notification marked as read", style))
    }

    private func change(
        _ request: Request,
        _ context: BasicRequestContext,
        _ name: String,
        _ style: InboxStyle
    ) async throws -> Response {
        let user = try user(request)
        let id = try Self.id(context)
        let (verb, message) = try await verb(name, request)
        let state = try await service.change(id, verb, of: user)
        return .inbox(InboxDocuments.state(state, message: message, style))
    }

    private func verb(_ name: String, _ request: Request) async throws -> (InboxVerb, String) {
        switch name {
        case "unread": return (.unread, "Notification marked as unread")
        case "seen": return (.seen, "Notification marked as seen")
        case "archive": return (.archive, "Notification archived")
        case "unarchive": return (.unarchive, "Notification unarchived")
        case "unsnooze": return (.unsnooze, "Notification unsnoozed")
        default:
            let now = Timestamp.nowMilliseconds()
            guard let until = try await time("until", or: "snoozedUntil", request) else {
                throw Problem.invalid([.init(pointer: "/until", detail: "is required")])
            }
            guard until > now, until <= now + UInt64(Limits.snoozeSeconds) * 1_000 else {
                let rule = "must be in the future, at most \(Limits.snoozeSeconds / 86_400) days ahead"
                throw Problem.invalid([.init(pointer: "/until", detail: rule)])
            }
            return (.snooze(until: until), "Notification snoozed")
        }
    }

    /// The body's object; nil where there is no body.
    func body(_ request: Request) async throws -> StoredPayload? {
        let body = try await request.body.collect(upTo: .max)
        guard body.readableBytes > 0 else { return nil }
        guard NotifyDoor.isJSON(request.headers) else { throw Problem.notJSON }
        if let fault = StoredPayload.fault(in: body) { throw Problem.malformedJSON("the body is not JSON: \(fault)") }
        guard let object = StoredPayload(body) else {
            throw Problem.invalid([.init(pointer: "", detail: "the body must be an object")])
        }
        return object
    }

    /// A time in the body, in milliseconds since 1970; nil where there is none.
    private func time(_ name: String, or other: String, _ request: Request) async throws -> UInt64? {
        guard let object = try await body(request), object.has(name) || object.has(other) else { return nil }
        guard let time = (object.text(name) ?? object.text(other)).flatMap({ Timestamp(rfc3339: $0) }) else {
            let rule = "must be an RFC 3339 date and time, such as 2024-01-01T12:00:00Z"
            throw Problem.invalid([.init(pointer: "/\(object.has(name) ? name : other)", detail: rule)])
        }
        return time.milliseconds
    }

    private func readAll(_ request: Request, _ style: InboxStyle) async throws(Problem) -> Response {
        let user = try user(request)
        let result = try await service.readAll(try InboxFilter(QueryParameters(request.uri.query ?? "")), of: user)
        let message = "All notifications marked as read"
        return .inbox(InboxDocuments.updated(result.updated, unread: result.unread, message: message, style))
    }

    private func seeAll(_ request: Request, _ style: InboxStyle) async throws(Problem) -> Response {
        let user = try user(request)
        let result = try await service.seeAll(try InboxFilter(QueryParameters(request.uri.query ?? "")), of: user)
        let message = "All notifications marked as seen"
        return .inbox(InboxDocuments.updated(result.updated, unread: result.unread, message: message, style))
    }

    private func remove(
        _ request: Request,
        _ context: BasicRequestContext,
        _ style: InboxStyle
    ) async throws(Problem) -> Response {
        let user = try user(request)
        let unread = try await service.remove(try Self.id(context), of: user)
        return .inbox(InboxDocuments.removed(unread: unread, style))
    }
}

extension Response {
    /// A document of the inbox; for a GET with its entity tag, and without a body where the client has it already.
    static func inbox(_ document: ByteBuffer, for request: Request? = nil) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-cache"]
        if let request {
            let tag = EntityTag.of(document)
            headers[.eTag] = tag
            if EntityTag.isListed(tag, in: request.headers[values: .ifNoneMatch]) {
                return Response(status: .notModified, headers: headers)
            }
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: document))
    }
}
