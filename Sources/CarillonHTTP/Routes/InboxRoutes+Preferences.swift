import CarillonDomain
import Hummingbird

/// What users wish for their inboxes: the channels that they listen to, and how long notifications are kept.
extension InboxRoutes {
    func channels(_ request: Request, _ style: InboxStyle) async throws(Problem) -> Response {
        let channels = try await service.channels(of: try user(request))
        return .inbox(InboxDocuments.channels(channels, style), for: request)
    }

    func subscribe(
        _ request: Request,
        _ context: BasicRequestContext,
        _ style: InboxStyle
    ) async throws(Problem) -> Response {
        let channels = try await service.subscribe(try user(request), to: try Self.topic(context))
        return .inbox(InboxDocuments.channels(channels, message: "Channel subscribed", style))
    }

    func unsubscribe(
        _ request: Request,
        _ context: BasicRequestContext,
        _ style: InboxStyle
    ) async throws(Problem) -> Response {
        let channels = try await service.unsubscribe(try user(request), from: try Self.topic(context))
        return .inbox(InboxDocuments.channels(channels, message: "Channel unsubscribed", style))
    }

    private static func topic(_ context: BasicRequestContext) throws(Problem) -> Topic {
        let name = context.parameters.get("channel").flatMap(QueryParameters.percentDecoded)
        guard let topic = name.flatMap({ Topic($0) }) else { throw .badParameter("channel", Topic.nameRule) }
        return topic
    }

    // MARK: - Retention

    func retention(_ request: Request, _ style: InboxStyle) async throws(Problem) -> Response {
        let days = try await service.retention(of: try user(request))
        return .inbox(InboxDocuments.retention(days, style), for: request)
    }

    func setRetention(_ request: Request, _ style: InboxStyle) async throws -> Response {
        let user = try user(request)
        let object = try await body(request)
        guard let object, object.has("days") else {
            throw Problem.invalid([.init(pointer: "/days", detail: "is required")])
        }
        // A number with a sign, a fraction or an exponent is no integer as the contract has it.
        guard let text = object.json("days", .number), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let days = Int(text), Limits.retentionDays.contains(days)
        else {
            throw Problem.invalid([.init(pointer: "/days", detail: "must be an integer from 1 to 15")])
        }
        try await service.setRetention(days, of: user)
        return .inbox(InboxDocuments.retention(days, message: "Retention set", style))
    }
}
