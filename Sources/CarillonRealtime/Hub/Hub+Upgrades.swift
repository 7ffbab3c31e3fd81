package import CarillonDomain

extension Problem {
    /// The pod is stopping.
    static let draining = Problem(
        status: 503,
        code: "draining",
        title: "Service Unavailable",
        detail: "this pod is going away; connect again",
        retryAfterSeconds: 1
    )
}

extension Hub: ConnectionAcceptor {
    package func accept(
        query: String,
        lastEventID: String?,
        connection: DeviceConnection
    ) -> Result<any ConnectionSession, Problem> {
        guard !isDraining else { return .failure(.draining) }
        let parameters = QueryParameters(query)
        do throws(Problem) {
            let user = try User.parse(id: parameters["user_id"], login: parameters["login"], ids: userIDs)
            let device = Device(
                connection: connection,
                user: user,
                number: nextDevice,
                request: ReplayRequest(
                    since: try Self.since(parameters["since"], lastEventID: lastEventID),
                    epoch: parameters["epoch"],
                    channels: try parameters.topics("channels")
                ),
                wantsUnreadCount: try parameters.flag("unread_count") ?? false,
                hub: self
            )
            nextDevice += 1
            return .success(device)
        } catch {
            return .failure(error)
        }
    }

    /// What the device was given last: a browser that comes back by itself knows better than the page that it came from.
    private static func since(_ text: String?, lastEventID: String?) throws(Problem) -> StreamPosition? {
        if let lastEventID {
            guard let position = StreamPosition(lastEventID) else {
                throw .badParameter("Last-Event-ID", "must be the id of an event of this stream")
            }
            return position
        }
        guard let text, !text.isEmpty else { return nil }
        guard let position = StreamPosition(text) else { throw .badPosition }
        return position
    }
}
