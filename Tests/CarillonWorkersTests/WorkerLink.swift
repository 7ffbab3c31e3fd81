import CarillonDomain
import CarillonMetrics
import CarillonRedis
import CarillonTestSupport
import Logging
import NIOCore
import NIOPosix

@testable import CarillonStore
@testable import CarillonWorkers

/// What workers work with, on a Redis of its own.
struct WorkerLink: Sendable {
    let process: RedisProcess
    let client: RedisClient
    let care: UserCare
    private let connection: NIOLoopBound<RedisConnection>

    /// Starts Redis, runs the body and ends it.
    static func with(_ arguments: [String] = [], _ body: (WorkerLink) async throws -> Void) async throws {
        let process = try await RedisProcess.startSingle(arguments)
        let link = try await WorkerLink(process)
        do {
            try await body(link)
        } catch {
            try? await link.close()
            throw error
        }
        try await link.close()
    }

    private init(_ process: RedisProcess) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let connection = try await eventLoop.submit {
            let configuration = RedisConfiguration(endpoint: .tcp(host: "127.0.0.1", port: process.port))
            let connection = RedisConnection(eventLoop: eventLoop, configuration: configuration, logger: .silent)
            connection.start()
            return NIOLoopBound(connection, eventLoop: eventLoop)
        }.get()
        try await wait(until: "Redis can be used", within: .seconds(30)) {
            try await eventLoop.submit { connection.value.isReady }.get()
        }
        self.process = process
        self.connection = connection
        client = try await eventLoop.submit { RedisClient(connection.value) }.get()
        care = .test(client)
    }

    private func close() async throws {
        try await connection.eventLoop.flatSubmit { connection.value.close(immediately: true) }.get()
        await process.stop()
    }

    /// Rounds over those whose payloads have expired.
    func rounds(atOnce: Int = UserQueueRounds.usersAtOnce) -> UserQueueRounds {
        let queues = UserQueues(redis: client, settings: StoreSettings(podID: "a", runID: "r"))
        return UserQueueRounds(care: care, atOnce: atOnce, look: queues.expired)
    }

    /// Makes users due, each with one thing to remove: a state without an entry.
    @discardableResult
    func makeDue(_ count: Int) async throws -> [UserKey] {
        let users = (0..<count).map { User(id: .number(Int64($0)), login: "u").key }
        let states = users.map { RedisCommand("HSET", .key(Keys.state($0)), "gone", "read") }
        let queue = try await queue()
        _ = try await client.replies(states + [RedisCommand("SADD", [.key(queue)] + users.map { .text($0.text) })])
        return users
    }

    /// How many are still due.
    func due() async throws -> Int {
        let queue = try await queue()
        return Int(try await client.call("SCARD", .key(queue)).integer ?? -1)
    }

    /// Where they are due: some slots ago, and in the same one all through a test.
    func queue() async throws -> RedisKey {
        let known = try await client.call("GET", "test:slot").integer.map { UInt64($0) }
        let slot = if let known { known } else { try await client.milliseconds() / Keys.slotMilliseconds - 2 }
        _ = try await client.call("SET", "test:slot", .text("\(slot)"))
        return Keys.expired(slot: slot, .whole)
    }

    /// How many of these have nothing left to remove.
    func inOrder(_ users: [UserKey]) async throws -> Int {
        try await client.replies(users.map { RedisCommand("EXISTS", .key(Keys.state($0))) }).count { $0.integer == 0 }
    }
}

extension Logger {
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}

extension UserCare {
    private struct Deaf: ClearingListener {
        func cleared(_ entries: [EntryReference], of user: UserKey) async {}
    }

    static func test(_ client: RedisClient) -> UserCare {
        let metrics = Metrics()
        let keeper = UserKeeper(redis: client, settings: StoreSettings(podID: "a", runID: "r"), metrics: metrics)
        let worker = PeriodicWorker(name: .ttlJanitor, interval: .seconds(60), metrics: metrics, logger: .silent)
        return UserCare(keeper: keeper, listener: Deaf(), worker: worker)
    }
}
