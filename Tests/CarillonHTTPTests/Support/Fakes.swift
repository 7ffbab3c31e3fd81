import CarillonDomain
import CarillonHTTP
import CarillonStore
import NIOCore
import Synchronization

/// Counts what reaches the service, and answers at once unless told to wait. Read it on its loop, or after the fact.
final class FakeNotify: NotifyService {
    struct Call: Equatable, Sendable {
        let body: String
        let key: String?
    }

    let log: Log
    /// Answers wait here while `isHolding`.
    var held: [any NotifyResponder] = []
    var isHolding = false
    var answer: (Call) -> NotifyAnswer = { .accepted(body: ByteBuffer(string: "ok:\($0.body)"), replayed: false) }

    init(_ log: Log = Log()) { self.log = log }

    func notify(body: ByteBuffer, idempotencyKey: String?, respondingTo responder: any NotifyResponder) {
        let call = Call(body: String(buffer: body), key: idempotencyKey)
        log.calls.withLock { $0.append(call) }
        if isHolding || call.body.hasPrefix("hold") { return held.append(responder) }
        responder.answered(answer(call))
    }

    func release(_ answer: String) {
        held.removeFirst().answered(.accepted(body: ByteBuffer(string: answer), replayed: false))
    }

    final class Log: Sendable {
        let calls = Mutex<[Call]>([])
        var bodies: [String] { calls.withLock { $0.map(\.body) } }
        var keys: [String?] { calls.withLock { $0.map(\.key) } }
    }
}

/// Takes connections over, greets them, and writes down all the bytes it gets.
final class FakeUpgrades: UpgradeTarget {
    let log: Log

    init(_ log: Log = Log()) { self.log = log }

    func takeOver(channel: any Channel, bytes: ByteBuffer) {
        log.handed.withLock { $0.append(String(buffer: bytes)) }
        try? channel.pipeline.syncOperations.addHandler(Listener(log))
        channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\n\r\n"), promise: nil)
    }

    func openStream(on channel: any Channel, _ request: StreamRequest) {
        log.streams.withLock { $0.append(request) }
        try? channel.pipeline.syncOperations.addHandler(Listener(log))
        channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), promise: nil)
    }

    final class Log: Sendable {
        let streams = Mutex<[StreamRequest]>([])
        let handed = Mutex<[String]>([])
        let later = Mutex<String>("")
        var first: String? { handed.withLock { $0.first } }
        var laterText: String { later.withLock { $0 } }
        /// All bytes of the connection that came last.
        var lastText: String { (handed.withLock { $0.last } ?? "") + laterText }

        func forgetLater() { later.withLock { $0 = "" } }
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let log: Log

        init(_ log: Log) { self.log = log }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: Self.unwrapInboundIn(data))
            log.later.withLock { $0 += text }
        }
    }
}

struct FakeAdmin: AdminService {
    static let alice = User(id: .number(9_007_199_254_740_993), login: "alice")

    func clients(page: Page) async throws(Problem) -> ClientList {
        if page.cursor == "bad" { throw .badParameter("cursor", "unknown cursor") }
        let client = ClientList.Client(
            user: Self.alice,
            podID: "pod\"1",
            connectionID: "c1",
            connectedAtMs: 1_704_110_400_123,
            transport: "websocket"
        )
        return ClientList(clients: [client], total: 7, nextCursor: "limit\(page.limit)")
    }

    func pods() async throws(Problem) -> [PodRow] {
        [PodRow(podID: "pod\"1", heartbeatAt: 1_704_110_400, isAlive: true, isSelf: true, connections: 2)]
    }

    func users(page: Page) async throws(Problem) -> UserList {
        UserList(
            users: [
                .init(user: Self.alice, connections: 2),
                .init(user: User(id: .text("u-1"), login: "b"), connections: 1),
            ],
            total: 2
        )
    }

    func pending(page: Page) async throws(Problem) -> PendingList {
        let id = StreamID(milliseconds: 5, sequence: 1)
        return PendingList(
            users: [
                .init(
                    user: Self.alice.key,
                    notifications: [
                        .init(id: id, payload: "{\"a\":1}", read: false), .init(id: id, payload: nil, read: true),
                    ]
                )
            ],
            totalPending: 2,
            usersWithPending: 1
        )
    }

    func history(user: User) async throws(Problem) -> History {
        if user.login == "away" { throw .redisAway() }
        return History(user: user, messages: [.init(id: "5-1", payload: "{\"a\":1}", read: true, status: "read")])
    }
}

/// An inbox without notifications.
struct FakeInbox: InboxService {
    func page(
        _ query: InboxQuery,
        of user: User,
        isNews: @Sendable (_ page: InboxPage, _ hasChanged: Bool) -> Bool
    ) async throws(Problem) -> InboxPage {
        InboxPage(items: [], total: 0, unreadCount: 0, hasMore: false)
    }

    func count(_ filter: InboxFilter, of user: User) async throws(Problem) -> (count: Int, unread: Int) { (3, 2) }
    func item(_ id: NotificationID, of user: User) async throws(Problem) -> InboxItem { throw .notificationNotFound }

    func read(_ id: NotificationID, at time: UInt64?, of user: User) async throws(Problem) -> InboxState {
        throw .notificationNotFound
    }

    func change(_ id: NotificationID, _ verb: InboxVerb, of user: User) async throws(Problem) -> InboxState {
        throw .notificationNotFound
    }

    func readAll(_ filter: InboxFilter, of user: User) async throws(Problem) -> (updated: Int, unread: Int) { (1, 0) }
    func seeAll(_ filter: InboxFilter, of user: User) async throws(Problem) -> (updated: Int, unread: Int) { (1, 2) }
    func remove(_ id: NotificationID, of user: User) async throws(Problem) -> Int { throw .notificationNotFound }
    func report(on id: NotificationID) async throws(Problem) -> NotificationReport { throw .notificationNotFound }
    func withdraw(_ id: NotificationID) async throws(Problem) { throw .notificationNotFound }
    func channels(of user: User) async throws(Problem) -> [String] { ["a"] }
    func subscribe(_ user: User, to topic: Topic) async throws(Problem) -> [String] { [topic.name] }
    func unsubscribe(_ user: User, from topic: Topic) async throws(Problem) -> [String] { [] }
    func retention(of user: User) async throws(Problem) -> Int { 7 }
    func setRetention(_ days: Int, of user: User) async throws(Problem) {
        if user.login == "away" { throw .redisAway() }
    }
}

struct FakeHealth: HealthService {
    var isReady = false

    func health() async -> HealthReport {
        HealthReport(healthy: true, podID: "p", version: "1", components: [.init(name: "redis", healthy: true)])
    }

    func ready() async -> HealthReport {
        let redis = HealthReport.Component(name: "redis", healthy: false, detail: "gone")
        return HealthReport(healthy: isReady, podID: "p", version: "1", components: [redis])
    }
}

struct FakeMetrics: MetricsSource {
    var text = "carillon_up 1\n"

    func exposition() async -> String { text }
}

/// Remembers what was answered.
final class AnswerLog: HTTPObserver {
    private let answers = Mutex<[String]>([])

    var lines: [String] { answers.withLock { $0 } }

    func notifyAnswered(status: Int) { answers.withLock { $0.append("notify \(status)") } }
    func answered(path: String, status: Int) { answers.withLock { $0.append("\(path) \(status)") } }
}
