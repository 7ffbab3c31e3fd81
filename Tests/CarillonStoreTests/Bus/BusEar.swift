import CarillonDomain
import CarillonRedis
import CarillonTestSupport
import NIOCore
import Testing

@testable import CarillonStore

/// What a bus reader's listener heard. Lives on the event loop.
final class BusLog: BusListener {
    private(set) var words: [String] = []

    func received(_ message: BusMessage) {
        switch message {
        case .pushed(let user, let id, let predecessor, let notification, let payload):
            let end =
                "\(predecessor.map(\.text) ?? "?") \(notification.text) \(payload.map { String(buffer: $0) } ?? "-")"
            words.append("push \(user) \(id) \(end)")
        case .read(let user, let entry): words.append("read \(user) \(entry.streamID) \(entry.notificationID.text)")
        case .autoCleared(let user, let entry): words.append("cleared \(user) \(entry.notificationID.text)")
        case .inboxChanged(let user, let change): words.append("inbox \(user) \(change.action)")
        case .changed(let user): words.append("changed \(user)")
        case .joined: words.append("joined")
        case .restarted: words.append("restarted")
        case .resync: words.append("resync")
        case .probe: words.append("probe")
        }
    }

    func podIsThere(_ pod: String) { words.append("there \(pod)") }

    func podRestarted(_ pod: String) { words.append("restarted \(pod)") }

    func missedMessages() { words.append("missed") }
}

/// A reader of pod `a`'s bus.
struct BusEar: Sendable {
    final class Parts {
        let blocking: RedisConnection
        let log = BusLog()
        let reader: BusReader

        init(_ store: InboxStore, _ process: RedisProcess, _ eventLoop: any EventLoop) {
            blocking = .forTests(.test(process), eventLoop)
            reader = BusReader(connection: blocking, store: store, eventLoop: eventLoop, listener: log)
            blocking.start()
        }
    }

    private let parts: NIOLoopBound<Parts>
    private let eventLoop: any EventLoop

    /// - Parameter process: Where the blocking connection reads, if elsewhere.
    static func with(
        _ link: StoreLink,
        on process: RedisProcess? = nil,
        _ body: (BusEar) async throws -> Void
    ) async throws {
        let ear = try await link.run { BusEar($0.store, process ?? link.process, link.eventLoop) }
        try await wait(until: "Redis has done it", within: .seconds(30)) { try await ear.run { $0.blocking.isReady } }
        try await ear.run { $0.reader.open() }
        try await wait(until: "Redis has done it", within: .seconds(30)) { try await ear.run { $0.reader.isHearing } }
        try await body(ear)
        try await ear.eventLoop.flatSubmit {
            ear.parts.value.reader.close()
            return ear.parts.value.blocking.close(immediately: true)
        }.get()
    }

    private init(_ store: InboxStore, _ process: RedisProcess, _ eventLoop: any EventLoop) {
        parts = NIOLoopBound(Parts(store, process, eventLoop), eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable (Parts) -> Value) async throws -> Value {
        try await eventLoop.submit { body(parts.value) }.get()
    }

    func words() async throws -> [String] { try await run { $0.log.words } }

    func hears(_ words: String...) async throws {
        try await wait(until: "Redis has done it", within: .seconds(30)) { try await self.words().count >= words.count }
        #expect(try await self.words() == words)
    }
}
