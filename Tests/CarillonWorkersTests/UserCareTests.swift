import CarillonDomain
import CarillonRedis
import NIOCore
import NIOPosix
import Testing

@testable import CarillonStore
@testable import CarillonWorkers

/// Brings users in order while Redis refuses their keys, or is away.
@Suite struct UserCareTests {
    /// One user's broken key must not keep a worker from the users that it popped with him.
    @Test(arguments: ["stream:user:2-u", "notification_state:2-u", "notif:conn:2-u"])
    func aKeyOfTheWrongTypeIsItsUsersTroubleAlone(key: String) async throws {
        try await WorkerLink.with { link in
            _ = try await link.client.call("SET", .text(key), "x")
            for number in 1...3 as ClosedRange<Int64> {
                let user = User(id: .number(number), login: "u").key
                if number != 2 {
                    _ = try await link.client.call("HSET", "notification_state:\(user.text)", "gone", "read")
                }
                #expect(try await link.care.keep(user)?.removed == (number == 2 ? nil : 1))
            }
        }
    }

    @Test func redisAwayIsEverybodysTrouble() async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let client = try await eventLoop.submit {
            RedisClient(
                RedisConnection(eventLoop: eventLoop, configuration: RedisConfiguration(), logger: .silent)
            )
        }.get()
        await #expect(throws: StoreError.self) {
            try await UserCare.test(client).keep(User(id: .number(1), login: "u").key)
        }
    }
}
