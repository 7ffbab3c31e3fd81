import NIOCore

/// A kind of fault: its name, what must hold through it, and how one is drawn.
package struct FaultKind: Sendable {
    package let name: String
    /// One line: what must hold, beside that nothing is lost, repeated or out of order.
    package let promise: String
    /// Short enough for a short run.
    let isBrief: Bool
    /// The process of the pod that it hits does not outlive it.
    let endsProcess: Bool
    let draw: @Sendable (inout FaultDraw) -> any Fault

    private init(
        _ name: String,
        _ promise: String,
        isBrief: Bool = true,
        endsProcess: Bool = false,
        _ draw: @escaping @Sendable (inout FaultDraw) -> any Fault
    ) {
        self.name = name
        self.promise = promise
        self.isBrief = isBrief
        self.endsProcess = endsProcess
        self.draw = draw
    }

    /// A kind that is drawn only by name, never by a schedule.
    package static let calm = FaultKind("calm", "nothing happens for 10 s; every delivery takes less than a second") {
        _ in
        Calm(length: .seconds(10))
    }

    package static let all: [FaultKind] = pods + redis + links + bus + keys + devices

    /// - Returns: nil where there is no such kind.
    package static func named(_ name: String) -> FaultKind? { (all + [calm]).first { $0.name == name } }

    // MARK: - Pods

    private static let pods: [FaultKind] = [
        FaultKind(
            "pod-killed",
            "the other pods deliver what it stored; its devices come back without a gap",
            endsProcess: true
        ) {
            PodKilled(pod: $0.pod(), downtime: $0.seconds(0.5...3, long: 0.5...15))
        },
        FaultKind("pod-terminated", "it exits with 0 within 15 s and answers what it has taken", endsProcess: true) {
            PodTerminated(pod: $0.pod(), downtime: $0.seconds(0...1, long: 0...10))
        },
        FaultKind("pods-rolled", "each exits with 0 within 15 s; no post is refused by all") {
            PodsRolled(pods: Array(0..<$0.pods).shuffled(using: &$0.random), pause: $0.seconds(0.2...1, long: 1...5))
        },
        FaultKind("pod-frozen", "it is taken for dead, wakes with old ideas, and does no harm") {
            PodFrozen(
                name: "pod-frozen",
                pod: $0.pod(),
                freezes: [
                    $0.pace == .long && $0.chance(0.4) ? .seconds(90) : $0.seconds($0.pace == .short ? 2...5 : 2...8)
                ],
                pause: .zero
            )
        },
        FaultKind("loop-stalled", "a loop that stands still for seconds loses nothing") { draw in
            let count = draw.pace == .short ? 2 : 3
            return PodFrozen(
                name: "loop-stalled",
                pod: draw.pod(),
                freezes: (0..<count).map { _ in draw.seconds(1...(draw.pace == .short ? 2 : 4)) },
                pause: draw.seconds(0.3...1.5)
            )
        },
        FaultKind("clock-jumped", "pods with wrong clocks keep order, presence and locks") {
            ClockJumped(
                pod: $0.pod(),
                seconds: [3_600, -3_600, 20 * 86_400, -20 * 86_400].randomElement(using: &$0.random) ?? 3_600,
                length: $0.seconds(3...6, long: 5...30)
            )
        },
        FaultKind(
            "name-taken",
            "the older process ends with one line and releases nothing",
            isBrief: false,
            endsProcess: true
        ) {
            NameTaken(pod: $0.pod(), length: $0.seconds(0.5...3))
        },
        FaultKind("pod-joined", "a new pod serves at once, and leaves without a trace", isBrief: false) {
            PodJoined(length: $0.seconds(3...6, long: 5...30))
        },
    ]

    // MARK: - Redis

    private static let redis: [FaultKind] = [
        FaultKind("redis-killed", "nothing is lost but what was not on disk; service comes back by itself") {
            RedisKilled(downtime: $0.seconds(0.5...3), isSynced: false)
        },
        FaultKind("redis-killed-synced", "nothing is lost at all") {
            RedisKilled(downtime: $0.seconds(0.5...3), isSynced: true)
        },
        FaultKind("redis-restarted", "nothing is lost; sockets stay open") { _ in RedisRestarted() },
        FaultKind("redis-frozen", "posts are refused or stored, never both; sockets stay open") {
            RedisFrozen(length: $0.seconds(2...6, long: 2...20))
        },
        FaultKind("redis-far", "latency costs time and nothing else") {
            RedisFar(milliseconds: 50, length: $0.seconds(3...6, long: 5...30))
        },
        FaultKind("clients-killed", "pods connect again, as often as it takes") { draw in
            ClientsKilled(pauses: (0..<4).map { _ in draw.seconds(0.1...0.8) })
        },
        FaultKind("memory-full", "posts are refused with 503, and nothing stored is dropped") {
            MemoryFull(length: $0.seconds(2...4, long: 2...15))
        },
        FaultKind("redis-read-only", "posts are refused with 503 until Redis takes writes again") {
            RedisReadOnly(length: $0.seconds(2...4, long: 2...15))
        },
        FaultKind("redis-flushed", "what was there is gone; what comes after arrives", isBrief: false) { _ in
            RedisFlushed()
        },
    ]

    // MARK: - Links and bus

    private static let links: [FaultKind] = [
        FaultKind("link-cut", "the pod says 503, keeps its sockets, and catches up when the link is back") {
            LinkBroken(name: "link-cut", pod: $0.pod(), mode: .cut, length: $0.seconds(1...4, long: 1...20))
        },
        FaultKind("link-slow", "a pod far from Redis is late and keeps order") { draw in
            LinkBroken(
                name: "link-slow",
                pod: draw.pod(),
                mode: .delay(.milliseconds(Int64.random(in: 20...80, using: &draw.random) * 10)),
                length: draw.seconds(3...5, long: 5...20)
            )
        },
        FaultKind("link-half-open", "commands without answers fail in time; what arrives late does no harm") {
            LinkBroken(
                name: "link-half-open",
                pod: $0.pod(),
                mode: .blackhole($0.chance(0.5) ? .forwarded : .dropped),
                length: $0.seconds(3...8, long: 3...20)
            )
        },
    ]

    private static let bus: [FaultKind] = [
        FaultKind("bus-deaf", "a pod that hears nothing notices, and reads its users' streams") {
            LinkBroken(name: "bus-deaf", pod: $0.pod(), mode: .deaf, length: $0.seconds(4...6, long: 4...20))
        },
        FaultKind("bus-trimmed", "lost entries show as gaps in their numbers") { draw in
            BusTrimmed(pod: draw.pod(), pauses: (0..<5).map { _ in draw.seconds(0.1...0.6) })
        },
        FaultKind("bus-foreign", "an entry of a newer format makes the pod look for itself") {
            BusForeign(pod: $0.pod(), user: $0.user())
        },
    ]

    // MARK: - Keys

    private static let keys: [FaultKind] = [
        FaultKind("stream-deleted", "what comes after arrives") {
            KeyDeleted(name: "stream-deleted", key: .stream($0.user()))
        },
        FaultKind("state-deleted", "entries are unread again, and later reads count") {
            KeyDeleted(name: "state-deleted", key: .state($0.user()))
        },
        FaultKind("payload-deleted", "the entry is cleared and told as such") {
            KeyDeleted(name: "payload-deleted", key: .payload($0.user()))
        },
        FaultKind("presence-deleted", "it is back at the next look at the user", isBrief: false) {
            KeyDeleted(name: "presence-deleted", key: .presence($0.user()))
        },
        FaultKind("lock-deleted", "no delivery depends on it") {
            KeyDeleted(name: "lock-deleted", key: .lock($0.user()))
        },
        FaultKind("heartbeats-deleted", "pods find one another again") { _ in
            KeyDeleted(name: "heartbeats-deleted", key: .heartbeats)
        },
        FaultKind("bus-deleted", "the pod opens its bus again and reads its users' streams") {
            KeyDeleted(name: "bus-deleted", key: .bus($0.pod()))
        },
        FaultKind("name-deleted", "the pod keeps its name") {
            KeyDeleted(name: "name-deleted", key: .name($0.pod()))
        },
    ]

    private static let devices: [FaultKind] = [
        FaultKind("devices-dropped", "all devices come back at once, without gap or repeat") { _ in DevicesDropped() },
        FaultKind("devices-asleep", "others notice nothing; who wakes has missed nothing", isBrief: false) {
            DevicesAsleep(share: 0.25, length: $0.seconds(5...10, long: 5...40))
        },
        FaultKind(
            "devices-flooding",
            "others notice nothing; the flooding ones are closed with 4429 or not at all",
            isBrief: false
        ) {
            DevicesFlooding(devices: 4, length: $0.seconds(4...6, long: 5...45))
        },
    ]
}
