import CarillonDomain
import CarillonMetrics
import CarillonRedis
import CarillonTestSupport
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import CarillonStore
@testable import CarillonWorkers

/// Brings users in order while Redis refuses their keys, or goes away.
@Suite struct UserCareTests {
    private struct Deaf: ClearingListener {
        func cleared(_ entries: [EntryReference], of user: UserKey) async {}
    }

    private func care(_ client: RedisClient) -> UserCare {
        let metrics = Metrics()
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let keeper = UserKeeper(redis: client, settings: StoreSettings(podID: "a", runID: "r"), metrics: metrics)
        let worker = PeriodicWorker(name: .ttlJanitor, interval: .seconds(60), metrics: metrics, logger: logger)
        return UserCare(keeper: keeper, listener: Deaf(), worker: worker)
    }

    private func connect(_ redis: RedisProcess) async throws -> (NIOLoopBound<RedisConnection>, RedisClient) {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let connection = try await eventLoop.submit {
            let configuration = RedisConfiguration(endpoint: .tcp(host: "127.0.0.1", port: redis.port))
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let connection = RedisConnection(eventLoop: eventLoop, configuration: configuration, logger: logger)
            connection.start()
            return NIOLoopBound(connection, eventLoop: eventLoop)
        }.get()
        try await wait(until: "Redis has done it", within: .seconds(30)) {
            try await eventLoop.submit { connection.value.isReady }.get()
        }
        return (connection, try await eventLoop.submit { RedisClient(connection.value) }.get())
    }

    private func close(_ connection: NIOLoopBound<RedisConnection>) async throws {
        try await connection.eventLoop.flatSubmit { connection.value.close(immediately: true) }.get()
    }

    /// One user's broken key must not keep a worker from the users that it popped with him.
    @Test(arguments: ["stream:user:2-u", "notification_state:2-u", "notif:conn:2-u"])
    func aKeyOfTheWrongTypeIsItsUsersTroubleAlone(key: String) async throws {
        let redis = try await RedisProcess.start()
        let (connection, client) = try await connect(redis)
        _ = try await client.call("SET", .text(key), "x")
        let care = care(client)
        for number in 1...3 as ClosedRange<Int64> {
            let user = User(id: .number(number), login: "u").key
            if number != 2 { _ = try await client.call("HSET", "notification_state:\(user.text)", "gone", "read") }
            #expect(try await care.keep(user)?.removed == (number == 2 ? nil : 1))
        }

        try await close(connection)
        await redis.stop()
    }

    @Test func whoWasPoppedWhenRedisWentAwayComesFirstInTheNextRound() async throws {
        let redis = try await RedisProcess.start(["--appendonly", "yes", "--appendfsync", "always"])
        let (connection, client) = try await connect(redis)
        let users = (1...3 as ClosedRange<Int64>).map { User(id: .number($0), login: "u").key }
        for user in users {
            _ = try await client.call("HSET", .text("notification_state:\(user.text)"), "gone", "read")
        }
        let queue = Mutex<[[UserKey]]>([users])
        let rounds = UserQueueRounds(care: care(client)) { () async throws(StoreError) in
            queue.withLock { $0.popLast() } ?? []
        }
        await #expect(throws: StoreError.self) {
            try await rounds.round { _, _ throws(StoreError) in
                redis.kill()
                while (try? await client.call("PING")) != nil {}
            }
        }
        try await redis.restart()
        try await wait(until: "Redis is back", within: .seconds(30)) { (try? await client.call("PING")) != nil }
        // The first of them was brought in order before Redis went.
        #expect(try await rounds.round() == 2)
        #expect(try await rounds.round() == 0)
        try await close(connection)
        await redis.stop()
    }

    @Test func aUserWhomRedisRefusesHoldsUpNobody() async throws {
        let redis = try await RedisProcess.start()
        let (connection, client) = try await connect(redis)
        let users = (1...3 as ClosedRange<Int64>).map { User(id: .number($0), login: "u").key }
        let queue = Mutex<[[UserKey]]>([users])
        let rounds = UserQueueRounds(care: care(client)) { () async throws(StoreError) in
            queue.withLock { $0.popLast() } ?? []
        }
        let kept = Mutex<[UserKey]>([])
        for _ in 0..<2 {
            _ = try? await rounds.round { user, _ throws(StoreError) in
                if user == users[1] { throw StoreError(refused: "ERR of a test") }
                kept.withLock { $0.append(user) }
            }
        }
        #expect(Set(kept.withLock { $0 }) == [users[0], users[2]])
        try await close(connection)
        await redis.stop()
    }

    @Test func redisAwayIsEverybodysTrouble() async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let client = try await eventLoop.submit {
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            return RedisClient(
                RedisConnection(eventLoop: eventLoop, configuration: RedisConfiguration(), logger: logger)
            )
        }.get()
        let care = care(client)
        await #expect(throws: StoreError.self) { try await care.keep(User(id: .number(1), login: "u").key) }
    }
}
