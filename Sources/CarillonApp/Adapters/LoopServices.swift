import CarillonHTTP
import CarillonMetrics
import CarillonRealtime
import NIOCore

/// Hands notify requests of the HTTP side to the notifier.
///
/// - Isolation: the event loop
final class NotifyAdapter: NotifyService {
    private let notifier: Notifier

    init(_ notifier: Notifier) { self.notifier = notifier }

    func notify(body: ByteBuffer, idempotencyKey: String?, respondingTo responder: any NotifyResponder) {
        notifier.notify(body, idempotencyKey: idempotencyKey) { outcome in
            switch outcome {
            case .accepted(let body, let isReplay): responder.answered(.accepted(body: body, replayed: isReplay))
            case .refused(let problem): responder.answered(.problem(problem))
            }
        }
    }
}

/// Counts answers by route and class of status.
struct RequestCounter: HTTPObserver {
    let metrics: Metrics

    func notifyAnswered(status: Int) { metrics.httpRequests(.notify, status: status).increment() }

    func answered(path: String, status: Int) {
        let route = HTTPRoute(path: path)
        // Of the web interface only its root is known by path; what else is found is one of its files.
        metrics.httpRequests(route == .other && status < 400 ? .web : route, status: status).increment()
    }
}

/// Makes WebSockets and event streams of connections that ask for one.
///
/// - Isolation: the event loop
final class UpgradeAdapter: UpgradeTarget {
    private let hub: Hub
    private let sockets: ConnectionGroup

    init(hub: Hub, sockets: ConnectionGroup) {
        self.hub = hub
        self.sockets = sockets
    }

    func takeOver(channel: any Channel, bytes: ByteBuffer) {
        let pipeline = channel.pipeline.syncOperations
        do {
            try pipeline.addHandler(WebSocketConnection(acceptor: hub, group: sockets))
        } catch {
            return channel.close(promise: nil)
        }
        pipeline.fireChannelRead(NIOAny(bytes))
        pipeline.fireChannelReadComplete()
    }

    func openStream(on channel: any Channel, _ request: StreamRequest) {
        let connection = EventStreamConnection(acceptor: hub, group: sockets)
        do {
            try channel.pipeline.syncOperations.addHandler(connection)
        } catch {
            return channel.close(promise: nil)
        }
        connection.answer(
            EventStreamConnection.Request(
                query: request.query,
                lastEventID: request.lastEventID,
                isHead: request.isHead,
                answerLines: request.answerLines
            )
        )
    }
}
