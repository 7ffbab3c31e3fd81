internal import CarillonDomain
internal import CarillonLoad
internal import NIOCore

/// All devices under load.
///
/// - Isolation: the event loop
final class Audience {
    let eventLoop: any EventLoop
    let wire: HubWire
    let shape: LoadShape
    private let tally: Tally
    private let run: Int
    /// A message reached everybody, or a read was confirmed.
    var progressed: () -> Void = {}

    private var subscribers: [Subscriber?]
    private var waiting: [Int] = []
    private var underWay = 0
    private var ready = 0
    private var whenReady: EventLoopPromise<Void>?
    private(set) var failures = 0
    private(set) var lastFailure: LoadError?
    /// Connections that ended without having been told to.
    private(set) var dropped = 0
    private var isClosing = false
    /// By connection: what it has, in the words of `resume`.
    private var positions: [String]
    private var epoch = ""
    /// Nil where devices begin anew each time.
    private let resume: HubWire.Resume?

    init(eventLoop: any EventLoop, wire: HubWire, shape: LoadShape, tally: Tally, run: Int) {
        self.eventLoop = eventLoop
        self.wire = wire
        self.shape = shape
        self.tally = tally
        self.run = run
        subscribers = [Subscriber?](repeating: nil, count: shape.connections)
        resume = shape.resumes ? wire.resume : nil
        positions = [String](repeating: "", count: resume == nil ? 0 : shape.connections)
    }

    // MARK: - Connecting

    /// Connects all that are not connected. - Returns: done when all are ready.
    func connect() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        whenReady = promise
        isClosing = false
        waiting = subscribers.indices.reversed().filter { subscribers[$0] == nil }
        connectNext()
        return promise.futureResult
    }

    /// Ends all connections from this side.
    func close() {
        isClosing = true
        waiting.removeAll()
        for subscriber in subscribers { subscriber?.close() }
    }

    /// Connections that are there, ready or not.
    var connected: Int { subscribers.count { $0 != nil } }

    private func connectNext() {
        while underWay < shape.handshakes, let number = waiting.popLast() {
            underWay += 1
            let subscriber = Subscriber(number: number, audience: self)
            subscribers[number] = subscriber
            subscriber.connect()
        }
        if ready == subscribers.count {
            whenReady?.succeed()
            whenReady = nil
        }
    }

    func ready(_ subscriber: Subscriber) {
        underWay -= 1
        ready += 1
        connectNext()
    }

    func failed(_ error: LoadError) { lastFailure = error }

    func ended(_ subscriber: Subscriber) {
        guard subscribers[subscriber.number] === subscriber else { return }
        subscribers[subscriber.number] = nil
        if subscriber.isReady {
            ready -= 1
            if !isClosing { dropped += 1 }
            return
        }
        underWay -= 1
        guard !isClosing, whenReady != nil else { return }
        failures += 1
        guard failures <= 10 * subscribers.count else {
            whenReady?.fail(lastFailure ?? LoadError("devices cannot connect"))
            whenReady = nil
            return
        }
        // Whoever is refused tries again in a moment; a hub that is being started is refused often.
        let number = subscriber.number
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { [self] in
            waiting.append(number)
            connectNext()
        }
    }

    // MARK: - What devices say

    func address(of connection: Int) -> LoadAddress { wire.subscribers[connection % wire.subscribers.count] }

    private func values(_ connection: Int) -> Template.Values {
        Template.Values(user: 1 + connection % shape.users, device: 1 + connection)
    }

    func handshake(of connection: Int) -> ByteBuffer {
        var target = wire.target.string(values(connection))
        if let resume, !positions[connection].isEmpty {
            switch resume {
            case .carillon: target += "&since=\(positions[connection])&epoch=\(epoch)"
            case .nchan: target += "?last_event_id=\(positions[connection])"
            }
        }
        let address = address(of: connection)
        return Handshake.request(target: target, host: address.host, port: address.port, headers: wire.headers)
    }

    func hello(of connection: Int) -> ByteBuffer? {
        wire.hello.map { hello in
            var frame = ByteBuffer()
            hello.write(values(connection), into: &frame)
            return frame
        }
    }

    // MARK: - What devices hear

    func received(_ stamp: Stamp, _ payload: ByteBuffer, by subscriber: Subscriber) {
        if resume == .nchan { positions[subscriber.number] = Self.nchanPosition(payload) }
        if shape.reads || resume == .carillon, case .push(let push)? = try? ServerMessage(payload) {
            if resume == .carillon { positions[subscriber.number] = "\(push.entry.streamID)" }
            if shape.reads { subscriber.write(.text, Self.read(push.entry)) }
        }
        guard stamp.run == run else { return }
        let now = NIODeadline.now().uptimeNanoseconds
        if tally.received(stamp, connection: subscriber.number, now: now) { progressed() }
    }

    /// Anything that is no message.
    func said(_ payload: ByteBuffer, to subscriber: Subscriber) {
        if shape.reads, payload.contains("notification.read.ack") {
            tally.readAcknowledged()
            progressed()
        } else if resume == .carillon, case .ready(let ready)? = try? ServerMessage(payload) {
            epoch = ready.epoch
            positions[subscriber.number] = "\(ready.lastStreamID)"
        }
    }

    private static func read(_ entry: LoadEntry) -> ByteBuffer {
        ByteBuffer(
            string:
                "{\"type\":\"notification.read\",\"data\":{\"notification_id\":\"\(entry.id)\",\"stream_id\":\"\(entry.streamID)\"}}"
        )
    }

    /// `id: 1700000000:0` before an empty line.
    private static func nchanPosition(_ payload: ByteBuffer) -> String {
        let line = payload.readableBytesView.prefix { $0 != 0x0a }
        return String(decoding: line.dropFirst(4), as: UTF8.self)
    }
}

@available(*, unavailable)
extension Audience: Sendable {}
