import CarillonDomain
import CarillonLoad
import CarillonTestSupport
import NIOCore
import NIOPosix
import Synchronization

/// What an observer heard.
enum DeviceEvent: Sendable {
    case opened
    case push(id: LoadUUID, streamID: StreamID, message: String, status: PushStatus)
    case readAck(LoadEntry)
    case cleared(LoadEntry)
    case ready(LoadReady)
    case subscribed(Set<Topic>)
    case error(LoadErrorFrame)
    case closed(LoadClose)
}

/// A device on an event loop of its own, and everything that it heard.
final class TestDevice: Sendable {
    private final class Recorder: LoadDeviceObserver, Sendable {
        let events = Mutex<[DeviceEvent]>([])

        private func add(_ event: DeviceEvent) { events.withLock { $0.append(event) } }

        func opened(_ device: LoadDevice) { add(.opened) }
        func pushed(_ device: LoadDevice, _ push: LoadPush) {
            let message = String(buffer: push.message)
            add(.push(id: push.entry.id, streamID: push.entry.streamID, message: message, status: push.status))
        }
        func readAcknowledged(_ device: LoadDevice, _ entry: LoadEntry) { add(.readAck(entry)) }
        func autoCleared(_ device: LoadDevice, _ entry: LoadEntry) { add(.cleared(entry)) }
        func ready(_ device: LoadDevice, _ ready: LoadReady) { add(.ready(ready)) }
        func subscribed(_ device: LoadDevice, _ channels: Set<Topic>) { add(.subscribed(channels)) }
        func failed(_ device: LoadDevice, _ error: LoadErrorFrame) { add(.error(error)) }
        func closed(_ device: LoadDevice, _ close: LoadClose) { add(.closed(close)) }
    }

    private let loop = MultiThreadedEventLoopGroup.singleton.next()
    private let recorder = Recorder()
    private let device: NIOLoopBound<LoadDevice>

    /// Connects.
    init(port: Int, login: String, resume: LoadDevice.Resume? = nil) async throws {
        device = try await loop.submit { [loop, recorder] in
            let device = LoadDevice(
                eventLoop: loop,
                port: port,
                userID: 1,
                login: login,
                resume: resume,
                observer: recorder
            )
            device.connect()
            return NIOLoopBound(device, eventLoop: loop)
        }.get()
    }

    var events: [DeviceEvent] { recorder.events.withLock { $0 } }

    func call(_ body: @escaping @Sendable (LoadDevice) -> Void) async throws {
        try await loop.submit { [device] in body(device.value) }.get()
    }

    /// The first event from `start` on that the function makes something of.
    func first<T: Sendable>(_ what: String, from start: Int = 0, _ body: (DeviceEvent) -> T?) async throws -> T {
        var found: T?
        try await wait(until: what) {
            found = events.dropFirst(start).lazy.compactMap(body).first
            return found != nil
        }
        guard let found else { throw WireError.unexpected("no \(what)") }
        return found
    }

    func ready() async throws -> LoadReady {
        try await first("session.ready") { if case .ready(let ready) = $0 { ready } else { nil } }
    }

    func closed() async throws -> LoadClose {
        try await first("the end of the connection") { if case .closed(let close) = $0 { close } else { nil } }
    }

    var messages: [String] {
        events.compactMap { if case .push(_, _, let message, _) = $0 { message } else { nil } }
    }

    var entries: [LoadEntry] {
        events.compactMap { event in
            if case .push(let id, let streamID, _, _) = event { LoadEntry(id: id, streamID: streamID) } else { nil }
        }
    }
}

/// A poster on an event loop of its own.
final class TestPoster: Sendable {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()
    private let poster: NIOLoopBound<LoadPoster>

    init(port: Int) async throws {
        poster = try await loop.submit { [loop] in
            NIOLoopBound(LoadPoster(eventLoop: loop, port: port), eventLoop: loop)
        }.get()
    }

    func call<T: Sendable>(_ body: @escaping @Sendable (LoadPoster) -> T) async throws -> T {
        try await loop.submit { [poster] in body(poster.value) }.get()
    }

    func post(_ body: String, key: String? = nil) async throws -> LoadPostResult {
        let promise = loop.makePromise(of: LoadPostResult.self)
        loop.execute { [poster] in
            poster.value.post(ByteBuffer(string: body), idempotencyKey: key) { promise.succeed($0) }
        }
        return try await promise.futureResult.get()
    }

    /// Posts to the user with id 1 and expects an answer.
    func notify(_ login: String, _ message: String, key: String? = nil) async throws -> LoadAnswer {
        let message = WireJSON.quoted(message)
        switch try await post("{\"target\":[{\"id\":1,\"login\":\"\(login)\"}],\"message\":\(message)}", key: key) {
        case .answered(let answer): return answer
        case .failed(let error, _): throw error
        }
    }
}

/// A pod with a Redis of its own, ended with the body.
func withPod(_ body: (RedisProcess, ServerProcess) async throws -> Void) async throws {
    let redis = try await RedisProcess.start()
    do {
        let server = try await ServerProcess.start(redisPort: redis.port)
        defer { server.kill() }
        try await body(redis, server)
    } catch {
        await redis.stop()
        throw error
    }
    await redis.stop()
}
