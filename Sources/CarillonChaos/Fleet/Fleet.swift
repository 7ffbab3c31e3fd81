package import CarillonTestSupport
package import NIOCore

/// All load of a run: users' devices that come back whatever happens, and posts at a planned rate. Everything is booked in
/// the ledger.
///
/// - Isolation: the event loop
package final class Fleet {
    /// Devices that connect at the start per `connectInterval`, so that a pod is not flooded by handshakes.
    private static let connectBatch = 10
    private static let connectInterval = TimeAmount.milliseconds(10)

    let eventLoop: any EventLoop
    let plan: FleetPlan
    let ledger: Ledger
    var random: SeededGenerator
    private(set) var ports: [Int]
    private(set) var isStopped = false
    /// Life that posts ask for; nil where they leave that to the pods.
    private(set) var payloadSeconds: Int?
    private var isPosting = false
    private var devices: [FleetDevice] = []
    private lazy var posting = FleetPosting(fleet: self)
    private lazy var subscriptions = FleetSubscriptions(fleet: self)

    /// - Parameters:
    ///   - ports: Where the pods listen, on 127.0.0.1; at least one.
    ///   - seed: Decides all choices, though not the moments at which they are made.
    package init(eventLoop: any EventLoop, plan: FleetPlan, ports: [Int], ledger: Ledger, seed: UInt64) {
        precondition(!ports.isEmpty && plan.users > 0 && plan.posters > 0)
        self.eventLoop = eventLoop
        self.plan = plan
        self.ports = ports
        self.ledger = ledger
        random = SeededGenerator(seed: seed)
    }

    /// All devices connect; posts begin when they are live.
    package func start() {
        eventLoop.assertInEventLoop()
        for user in 0..<plan.users {
            for _ in 0..<Int.random(in: plan.devicesPerUser, using: &random) {
                devices.append(FleetDevice(fleet: self, user: user, number: ledger.addDevice(user: user)))
            }
        }
        connectNext(from: 0)
    }

    /// Pods joined or left for good. Devices of a pod that left come to the others once they lose it.
    package func changePorts(_ ports: [Int]) {
        precondition(!ports.isEmpty)
        self.ports = ports
    }

    /// No new posts and no more moves; what is under way goes on.
    package func stopPosting() {
        isPosting = false
        posting.stop()
        subscriptions.stopChanging()
    }

    /// Posts ask for this life of their payloads from now on.
    package func changePayloadLife(seconds: Int) {
        payloadSeconds = seconds
        ledger.payloadLife = .seconds(Int64(seconds))
    }

    package func perform(_ act: DeviceAct) {
        switch act {
        case .drop: devices.forEach { $0.loseConnection() }
        case .fallAsleep(let share): for device in devices where chance(share) { device.fallAsleep() }
        case .wake: devices.forEach { $0.wake() }
        case .flood(let count): devices.shuffled(using: &random).prefix(count).forEach { $0.flood() }
        case .stopFlood: devices.forEach { $0.stopFlood() }
        }
    }

    /// Number of devices whose replay is over.
    package var liveDevices: Int { devices.count { $0.isLive } }

    package var deviceCount: Int { devices.count }

    /// Whether every device is live, no post is outstanding, every read is answered and everything due was delivered.
    package var isSettled: Bool {
        posting.isSettled && subscriptions.isSettled && devices.allSatisfy(\.isSettled) && ledger.isSettled
    }

    /// Everything ends; nothing is booked any more.
    package func stop() {
        isStopped = true
        isPosting = false
        posting.stop()
        posting.close()
        devices.forEach { $0.stop() }
    }

    // MARK: - Of the parts

    /// Calls `body` after the delay, unless the fleet was stopped by then.
    func after(_ delay: TimeAmount, _ body: @escaping () -> Void) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            if let self, !self.isStopped { body() }
        }
    }

    func chance(_ share: Double) -> Bool { share > 0 && Double.random(in: 0..<1, using: &random) < share }

    /// A device of the user that can say something for him.
    func speaker(for user: Int) -> FleetDevice? {
        devices.filter { $0.user == user && $0.canSpeak }.randomElement(using: &random)
    }

    func pause(_ milliseconds: ClosedRange<Int64>) -> TimeAmount {
        .milliseconds(Int64.random(in: milliseconds, using: &random))
    }

    /// A port for somebody who comes from `port`: another one where there is one.
    func port(other port: Int?) -> Int {
        let others = ports.filter { $0 != port }
        return others.randomElement(using: &random) ?? ports[0]
    }

    /// The port that follows `port`, for somebody who could not reach it.
    func port(after port: Int) -> Int {
        guard let index = ports.firstIndex(of: port) else { return self.port(other: port) }
        return ports[(index + 1) % ports.count]
    }

    private func connectNext(from first: Int) {
        let next = min(first + Self.connectBatch, devices.count)
        for device in devices[first..<next] { device.start() }
        if next < devices.count {
            after(Self.connectInterval) { [unowned self] in connectNext(from: next) }
        } else {
            postWhenLive()
        }
    }

    private func postWhenLive() {
        guard liveDevices == devices.count else {
            return after(Self.connectInterval) { [unowned self] in postWhenLive() }
        }
        isPosting = true
        posting.start()
        subscriptions.start()
        if let pause = plan.moveEvery { moveSomebody(every: TimeAmount(pause)) }
    }

    private func moveSomebody(every pause: TimeAmount) {
        after(pause) { [unowned self] in
            guard isPosting else { return }
            devices.randomElement(using: &random)?.move()
            moveSomebody(every: pause)
        }
    }
}

@available(*, unavailable)
extension Fleet: Sendable {}
