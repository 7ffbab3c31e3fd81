import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// All connections of one attack: keeps as many of them as it wants, at its pace, and counts how they end.
///
/// - Isolation: its event loop
final class AttackForce {
    let eventLoop: any EventLoop
    private let attack: Attack
    private let address: SocketAddress
    private var sockets: [ObjectIdentifier: AttackSocket] = [:]
    private var outcomes: [String: Int] = [:]
    private var started = 0
    private var attempts = 0
    private var begun = NIODeadline.now()
    private var timer: RepeatedTask?
    private var isPaused = false

    private static let tick = TimeAmount.milliseconds(10)

    init(_ attack: Attack, port: Int, eventLoop: any EventLoop) throws {
        self.attack = attack
        self.eventLoop = eventLoop
        address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    }

    /// A thread that gets what the others leave: an attacker who computes on the machine that he attacks would be
    /// measured instead of his attack.
    static func makeGroup() async throws -> MultiThreadedEventLoopGroup {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // Of one thread, on Linux: the calling one.
        try await group.any().submit { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }.get()
        return group
    }

    func start() {
        begun = .now()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.tick) { _ in bound.value.ticked() }
    }

    /// Makes no more connections.
    func pause() { isPaused = true }

    /// Every connection has come to something.
    var isSettled: Bool { sockets.values.allSatisfy { $0.outcome(isOver: false) != "open" } }

    /// Ends all connections. - Returns: how those that were open stood, and all others ended.
    func stop() -> AttackResult {
        timer?.cancel()
        timer = nil
        let seconds = Double((NIODeadline.now() - begun).nanoseconds) / 1e9
        for socket in sockets.values {
            outcomes[socket.outcome(isOver: false), default: 0] += 1
            socket.abandon()
        }
        sockets = [:]
        return AttackResult(attemptsPerSecond: Double(attempts) / seconds, outcomes: outcomes)
    }

    func attempted(_ count: Int) { attempts += count }

    func ended(_ socket: AttackSocket) {
        guard sockets.removeValue(forKey: ObjectIdentifier(socket)) != nil else { return }
        let outcome = socket.outcome(isOver: true)
        // What we end ourselves says nothing about the server, unless it has refused something before.
        if socket.hasOwnEnd, ["closed", "cut"].contains(outcome) { return }
        outcomes[outcome, default: 0] += 1
    }

    private func ticked() {
        let now = NIODeadline.now()
        for socket in sockets.values { socket.ticked(now) }
        let due = Int(Double((now - begun).nanoseconds) / 1e9 * attack.perSecond)
        while !isPaused, started < due, sockets.count < attack.connections { connectNext() }
        // What could not be opened in time is not made up for.
        if sockets.count >= attack.connections { started = max(started, due) }
    }

    private func connectNext() {
        let socket = AttackSocket(attack.script(started), force: self)
        started += 1
        attempts += 1
        sockets[ObjectIdentifier(socket)] = socket
        socket.connect(to: address)
    }
}

/// What became of an attack's connections.
package struct AttackResult: Sendable {
    package let attemptsPerSecond: Double
    package let outcomes: [String: Int]
}

@available(*, unavailable)
extension AttackForce: Sendable {}
