package import CarillonDomain

extension Problem {
    fileprivate static let draining = Problem(
        status: 503,
        code: "draining",
        title: "Service Unavailable",
        detail: "this pod is going away; connect again",
        retryAfterSeconds: 1
    )
}

extension Hub: WebSocketAcceptor {
    package func accept(
        query: String,
        connection: WebSocketConnection
    ) -> Result<any WebSocketSession, Problem> {
        guard !isDraining else { return .failure(.draining) }
        let parameters = QueryParameters(query)
        do throws(Problem) {
            let user = try User.parse(id: parameters["user_id"], login: parameters["login"], ids: userIDs)
            let device = Device(
                connection: connection,
                user: user,
                number: nextDevice,
                since: try Self.since(parameters["since"]),
                epoch: parameters["epoch"],
                wantsUnreadCount: try parameters.flag("unread_count") ?? false,
                hub: self
            )
            nextDevice += 1
            return .success(device)
        } catch {
            return .failure(error)
        }
    }

    private static func since(_ text: String?) throws(Problem) -> StreamID? {
        guard let text, !text.isEmpty else { return nil }
        guard let id = StreamID(text) else {
            throw .badParameter("since", "must be a stream id such as 1640995200000-0")
        }
        return id
    }
}
