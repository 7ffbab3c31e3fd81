import CarillonDomain
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Runs the requests of the library's way, each in a child task of this service.
///
/// - Isolation: any
final class RequestRunner: Sendable {
    typealias Responder = any HTTPResponder<BasicRequestContext>

    private let responder: Responder
    private let observer: any HTTPObserver
    private let logger: Logger
    private let exchanges: AsyncStream<Exchange>
    private let feed: AsyncStream<Exchange>.Continuation

    init(responder: Responder, observer: any HTTPObserver, logger: Logger) {
        self.responder = responder
        self.observer = observer
        self.logger = logger
        (exchanges, feed) = AsyncStream.makeStream()
    }

    /// Takes a request; false after `finish`. What waits here is bounded by the number of connections.
    func submit(_ exchange: Exchange) -> Bool {
        if case .enqueued = feed.yield(exchange) { true } else { false }
    }

    /// Takes no more requests; `run` returns when those under way are answered.
    func finish() {
        feed.finish()
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for await exchange in exchanges {
                group.addTask { await self.serve(exchange) }
            }
        }
    }

    /// Answers one request, or stops trying when its client has gone.
    private func serve(_ exchange: Exchange) async {
        await withTaskGroup { group in
            group.addTask { await self.answer(exchange) }
            group.addTask { for await _ in exchange.gone {} }
            await group.next()
            group.cancelAll()
        }
    }

    private func answer(_ exchange: Exchange) async {
        var request = exchange.request
        let isHead = request.method == .head
        // HEAD is GET whose body is not sent, so routes need not know of it.
        if isHead { request.method = .get }
        do {
            let response = try await responder.respond(
                to: Request(head: request, body: RequestBody(buffer: exchange.body)),
                context: BasicRequestContext(source: .init(channel: exchange.channel, logger: logger))
            )
            let path = request.path.map { String($0.prefix { $0 != "?" }) } ?? ""
            observer.answered(path: path, status: response.status.code)
            let writer = AnswerWriter(exchange, head: response.head, isHead: isHead)
            try await response.body.write(AnswerBodyWriter(writer: writer))
        } catch is ChannelError {
            exchange.abandon()
        } catch is CancellationError {
            exchange.abandon()
        } catch {
            logger.error("a request failed", metadata: ["path": "\(request.path ?? "")", "error": "\(error)"])
            exchange.abandon()
        }
    }
}
