internal import CarillonLoad
internal import NIOCore

/// All connections that publish, and the pace at which they do.
///
/// - Isolation: the event loop
final class PublisherDesk {
    let eventLoop: any EventLoop
    let wire: HubWire
    private let shape: LoadShape
    private let tally: Tally
    private let run: Int
    private var publishers: [Publisher] = []
    /// In a closed loop: those that have nothing to do.
    private var idle: [Publisher] = []
    /// By publisher: the group that it publishes to next, in turns.
    private var nextGroup: [Int]
    private var isPublishing = false
    private var isClosing = false
    private var connected = 0
    private var whenConnected: EventLoopPromise<Void>?
    /// In an open loop: when the next message is due.
    private var due = NIODeadline.distantPast
    private var turn = 0
    private var random = SystemRandomNumberGenerator()

    init(eventLoop: any EventLoop, wire: HubWire, shape: LoadShape, tally: Tally, run: Int) {
        self.eventLoop = eventLoop
        self.wire = wire
        self.shape = shape
        self.tally = tally
        self.run = run
        let count = min(shape.publishers, shape.groups)
        nextGroup = Array(0..<count)
        publishers = (0..<count).map { Publisher(number: $0, desk: self) }
    }

    // MARK: - Connections

    func connect() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        whenConnected = promise
        publishers.forEach { $0.connect() }
        return promise.futureResult
    }

    func close() {
        isPublishing = false
        isClosing = true
        publishers.forEach { $0.close() }
    }

    func address(of publisher: Int) -> LoadAddress { wire.publishers[publisher % wire.publishers.count] }

    func hello(of publisher: Int) -> ByteBuffer? {
        guard case .lines(let hello, _, _) = wire.publishing else { return nil }
        var line = ByteBuffer()
        hello.write(Template.Values(publisher: publisher), into: &line)
        return line
    }

    func connected(_ publisher: Publisher) {
        connected += 1
        if connected == publishers.count {
            whenConnected?.succeed()
            whenConnected = nil
        }
    }

    func lost(_ publisher: Publisher) {
        guard !isClosing else { return }
        connected = max(0, connected - 1)
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { [self] in
            if !isClosing { publisher.connect() }
        }
    }

    // MARK: - Pace

    /// Publishes at the shape's pace from now on.
    func start() {
        isPublishing = true
        switch shape.pace {
        case .closed:
            idle = publishers
            publishWhilePossible()
        case .open:
            due = .now()
            publishDue()
        }
    }

    func stop() { isPublishing = false }

    /// Publishes one message to each group, and as many at a time as there are publishers.
    func publishOnceToAll() {
        for group in 0..<shape.groups { publish(to: group, by: publishers[group % publishers.count], due: .now()) }
    }

    /// Nothing is under way.
    var isIdle: Bool { publishers.allSatisfy(\.isIdle) }

    func answered(_ publisher: Publisher, isAccepted: Bool) {
        tally.answered(isAccepted: isAccepted)
        guard isPublishing, case .closed = shape.pace else { return }
        idle.append(publisher)
        publishWhilePossible()
    }

    /// Something was delivered: there may be room in the window.
    func progressed() {
        if isPublishing, !idle.isEmpty { publishWhilePossible() }
    }

    private func publishWhilePossible() {
        guard case .closed(let window) = shape.pace, isPublishing else { return }
        while tally.undelivered < window, let publisher = idle.popLast() {
            let group = nextGroup[publisher.number]
            let following = group + publishers.count
            nextGroup[publisher.number] = following < shape.groups ? following : publisher.number
            publish(to: group, by: publisher, due: .now())
        }
    }

    private func publishDue() {
        guard case .open(let perSecond) = shape.pace, isPublishing else { return }
        let now = NIODeadline.now()
        while due <= now {
            let group = shape.isRandom ? Int.random(in: 0..<shape.groups, using: &random) : turn % shape.groups
            turn += 1
            publish(to: group, by: publishers[group % publishers.count], due: due)
            due = due + .nanoseconds(Int64(1_000_000_000 / perSecond))
        }
        eventLoop.assumeIsolated().scheduleTask(deadline: due) { [self] in publishDue() }
    }

    private func publish(to group: Int, by publisher: Publisher, due: NIODeadline) {
        let user = group * shape.targets
        let stamp = Stamp(run: run, number: tally.publish(user: user), due: due.uptimeNanoseconds)
        var text = ByteBuffer()
        text.reserveCapacity(shape.messageBytes)
        stamp.write(size: shape.messageBytes, into: &text)
        let first = 1 + user
        publisher.publish(
            message(
                Template.Values(
                    user: first,
                    users: first..<(first + shape.targets),
                    publisher: publisher.number,
                    message: text
                )
            )
        )
    }

    private func message(_ values: Template.Values) -> ByteBuffer {
        var message = ByteBuffer()
        switch wire.publishing {
        case .lines(_, let publish, _): publish.write(values, into: &message)
        case .http(let path, let body):
            var content = ByteBuffer()
            content.reserveCapacity(512)
            body.write(values, into: &content)
            message.reserveCapacity(content.readableBytes + 256)
            message.writeStaticString("POST ")
            path.write(values, into: &message)
            message.writeStaticString(" HTTP/1.1\r\nHost: ")
            message.writeString(address(of: values.publisher).host)
            message.writeStaticString("\r\nContent-Type: application/json\r\nContent-Length: ")
            message.writeDecimal(content.readableBytes)
            message.writeStaticString("\r\n\r\n")
            message.writeBuffer(&content)
        }
        return message
    }
}

@available(*, unavailable)
extension PublisherDesk: Sendable {}
