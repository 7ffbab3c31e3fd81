internal import CarillonLoad
internal import CarillonTestSupport
internal import NIOCore
internal import NIOPosix

/// One load on one hub: its devices, its publishers, and what is counted.
///
/// Everything happens on one event loop; from outside it is asked with `with`.
struct LoadSession: Sendable {
    /// - Isolation: the event loop
    final class Parts {
        let tally: Tally
        let audience: Audience
        let desk: PublisherDesk

        init(eventLoop: any EventLoop, wire: HubWire, shape: LoadShape) {
            // Enough to tell this run's messages from those of the runs before it.
            let run = Int.random(in: 1...999_999_999)
            tally = Tally(connections: shape.connections, users: shape.users, targets: shape.targets)
            audience = Audience(eventLoop: eventLoop, wire: wire, shape: shape, tally: tally, run: run)
            desk = PublisherDesk(eventLoop: eventLoop, wire: wire, shape: shape, tally: tally, run: run)
            audience.progressed = { [unowned self] in desk.progressed() }
        }
    }

    private let eventLoop: any EventLoop
    private let parts: NIOLoopBound<Parts>

    /// Makes a session, and ends all its connections when the body is done or has failed.
    static func with(
        _ hub: any Hub,
        _ shape: LoadShape,
        _ body: (LoadSession) async throws -> Void
    ) async throws {
        let session = try await LoadSession(wire: hub.wire(shape), shape: shape)
        do {
            try await body(session)
        } catch {
            await session.close()
            throw error
        }
        await session.close()
    }

    private init(wire: HubWire, shape: LoadShape) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        self.eventLoop = eventLoop
        parts = try await eventLoop.submit {
            NIOLoopBound(Parts(eventLoop: eventLoop, wire: wire, shape: shape), eventLoop: eventLoop)
        }.get()
    }

    /// Asks something, or has it done, on the event loop.
    func with<Value: Sendable>(_ body: @escaping @Sendable (Parts) -> Value) async throws -> Value {
        try await eventLoop.submit { [parts] in body(parts.value) }.get()
    }

    /// Connects all devices that are not connected. - Throws: where they cannot be within a minute.
    func connectDevices() async throws {
        let connected = eventLoop.flatSubmit { [parts] in parts.value.audience.connect() }
        try await finish(connected, "devices cannot connect")
    }

    func connectPublishers() async throws {
        let connected = eventLoop.flatSubmit { [parts] in parts.value.desk.connect() }
        try await finish(connected, "publishers cannot connect")
    }

    private func finish(_ future: EventLoopFuture<Void>, _ what: String) async throws {
        let promise = eventLoop.makePromise(of: Void.self)
        future.cascade(to: promise)
        let timeout = eventLoop.scheduleTask(in: .seconds(60)) { promise.fail(BenchError("\(what) within a minute")) }
        defer { timeout.cancel() }
        try await promise.futureResult.get()
    }

    /// Waits until the condition holds; gives up in silence.
    func settle(within: Duration, _ condition: @escaping @Sendable (Parts) -> Bool) async throws {
        try? await wait(until: "the load settles", within: within) { try await with(condition) }
    }

    /// Ends all connections and waits until they are gone, so that the next load finds the ports free.
    private func close() async {
        try? await with {
            $0.desk.close()
            $0.audience.close()
        }
        try? await wait(until: "all connections are closed", within: .seconds(10)) {
            try await with { $0.audience.connected == 0 }
        }
    }
}
