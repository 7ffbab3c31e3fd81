import CarillonDomain
import CarillonMetrics
import CarillonRealtime
import CarillonRedis
import NIOCore

/// What Redis reports, as metrics and as news for the pod.
///
/// - Isolation: the event loop
final class RedisEvents: RedisObserver {
    private let metrics: Metrics
    weak var pod: Pod?
    /// For a connection that notifications are written over: its commands count too, but it is not what the pod hears by.
    let ofWrites: WriteEvents

    init(metrics: Metrics) {
        self.metrics = metrics
        ofWrites = WriteEvents(metrics: metrics)
    }

    func connected(isFirst: Bool) {
        if !isFirst { metrics.redisReconnects.increment() }
        metrics.redisUp.set(1)
        pod?.catchUp()
    }

    func disconnected(_ error: RedisError) { metrics.redisUp.set(0) }

    func roundTrip(nanoseconds: Int64, commands: Int) {
        metrics.redisCommands.increment(by: commands)
        metrics.redisRoundTrip.observe(Double(nanoseconds) / 1e6)
    }

    func commandFailed(_ error: RedisError) {
        // A group that is missing or there already is an answer, not a failure.
        if error.serverCode != "NOGROUP", error.serverCode != "BUSYGROUP" { metrics.redisErrors.increment() }
    }
}

/// The same of a connection that is only written over.
///
/// - Isolation: the event loop
final class WriteEvents: RedisObserver {
    private let metrics: Metrics

    init(metrics: Metrics) { self.metrics = metrics }

    func connected(isFirst: Bool) { if !isFirst { metrics.redisReconnects.increment() } }
    func disconnected(_ error: RedisError) {}

    func roundTrip(nanoseconds: Int64, commands: Int) { metrics.redisCommands.increment(by: commands) }

    func commandFailed(_ error: RedisError) { metrics.redisErrors.increment() }
}

/// What sockets report, as metrics.
///
/// - Isolation: the event loop
final class SocketEvents: ConnectionObserver {
    private let metrics: Metrics

    init(metrics: Metrics) { self.metrics = metrics }

    func opened(_ transport: Transport) {
        switch transport {
        case .webSocket: metrics.httpRequests(.websocket, status: 101).increment()
        case .eventStream: metrics.httpRequests(.stream, status: 200).increment()
        }
    }

    func closed(_ code: WebSocketCloseCode?) {
        switch code {
        case .tryAgainLater?: metrics.slowConsumerCloses.increment()
        case .tooManyRequests?: metrics.floodCloses.increment()
        default: break
        }
    }

    func answered(_ transport: Transport, status: Int) {
        metrics.httpRequests(transport == .webSocket ? .websocket : .stream, status: status).increment()
    }

    func wrote(frames: Int, bytes: Int) {}
    func throttled() {}
    func timedOut() { metrics.pingTimeoutCloses.increment() }
}
