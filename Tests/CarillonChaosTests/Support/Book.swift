import CarillonChaos
import CarillonDomain
import CarillonLoad
import NIOCore

/// A ledger with a clock that a test moves, and short words for what happens to it.
final class Book {
    private final class Clock {
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    }

    private let clock = Clock()
    let ledger: Ledger

    init(payloadLife: Duration = .seconds(900)) {
        ledger = Ledger(payloadLife: payloadLife) { [clock] in clock.now }
    }

    var now: NIODeadline { clock.now }

    func pass(_ time: TimeAmount) { clock.now = clock.now + time }

    /// A device that has gone live.
    func device(user: Int = 0) -> Int {
        let device = ledger.addDevice(user: user)
        connect(device)
        return device
    }

    func connect(_ device: Int) {
        ledger.connecting(device)
        ledger.ready(device)
    }

    func lose(
        _ device: Int,
        _ close: LoadClose = .lost(LoadError("the connection was lost")),
        isOwnWish: Bool = false,
        pause: TimeAmount = .zero
    ) {
        ledger.lost(device, close, isOwnWish: isOwnWish, comesBackAt: now + pause)
    }

    /// A post that is sent and, unless told otherwise, accepted at once. - Returns: its token.
    @discardableResult
    func post(to users: [Int] = [0], isKeyed: Bool = false, isAccepted: Bool = true) -> Int {
        let token = ledger.posted(to: users, isKeyed: isKeyed)
        let tried = ledger.tried(token)
        if isAccepted { accept(token, targets: users.count, tried: tried) }
        return token
    }

    func accept(_ token: Int, targets: Int = 1, variant: UInt64 = 0, tried: NIODeadline? = nil) {
        let ids = (0..<targets).map { Self.id(token, target: $0, variant: variant) }
        ledger.accepted(token, ids: ids, tried: tried ?? now)
    }

    /// The entry of a post; later posts have later stream ids.
    func entry(_ token: Int, target: Int = 0, variant: UInt64 = 0, sequence: UInt64 = 0) -> LoadEntry {
        LoadEntry(
            id: Self.id(token, target: target, variant: variant),
            streamID: StreamID(milliseconds: UInt64(1_000 + token), sequence: sequence)
        )
    }

    @discardableResult
    func push(_ token: Int, to device: Int, target: Int = 0, status: PushStatus = .unread) -> Bool {
        ledger.pushed(device, token: token, entry: entry(token, target: target), status: status)
    }

    // MARK: - Topics

    /// The device subscribes its user to channels, or ends that, and is told that it is so unless told otherwise.
    func subscribe(_ device: Int, _ topics: Set<Topic>, isOn: Bool = true, told: Set<Topic>? = nil, isTold: Bool = true)
    {
        ledger.subscribing(device, to: topics, isOn: isOn)
        if isTold { ledger.subscribed(device, told ?? (isOn ? topics : [])) }
    }

    /// A post for a topic that is sent and, unless told otherwise, accepted at once. - Returns: its token.
    @discardableResult
    func post(to topic: Topic, isKeyed: Bool = false, isAccepted: Bool = true) -> Int {
        let token = ledger.posted(to: topic, isKeyed: isKeyed)
        let tried = ledger.tried(token)
        if isAccepted { accept(token, tried: tried) }
        return token
    }

    func entry(_ token: Int, of topic: Topic) -> LoadEntry {
        let entry = entry(token)
        return LoadEntry(id: entry.id, streamID: entry.streamID, topic: topic)
    }

    @discardableResult
    func push(_ token: Int, of topic: Topic, to device: Int, status: PushStatus = .unread) -> Bool {
        ledger.pushed(device, token: token, entry: entry(token, of: topic), status: status)
    }

    func fault(_ excuse: Excuse = .nothing) -> Int {
        ledger.faultBegan(FaultRecord(name: "fault", detail: "of a test", excuse: excuse))
    }

    /// How often the ledger found this.
    func count(_ kind: Finding.Kind) -> Int { ledger.findings.count(kind) }

    private static func id(_ token: Int, target: Int, variant: UInt64) -> LoadUUID {
        LoadUUID(high: UInt64(token), low: UInt64(target) << 8 | variant)
    }
}
