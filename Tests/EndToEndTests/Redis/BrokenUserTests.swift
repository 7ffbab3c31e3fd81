import CarillonTestSupport
import Foundation
import Testing

/// Keys that somebody overwrote with another type are their own user's trouble: workers do everybody else's work.
///
/// Redis deals users to the workers in no particular order, so there are so many of both kinds that no worker gets
/// through all the healthy ones before it meets a broken one.
@Suite("Broken users")
struct BrokenUserTests {
    private static let others = ["GROUP_MAINTENANCE_INTERVAL", "RETENTION_TRIM_INTERVAL", "TTL_JANITOR_INTERVAL"]

    /// A pod in which one worker alone has work to do.
    private func with(worker: String, _ body: (Pod) async throws -> Void) async throws {
        var settings = Dictionary(uniqueKeysWithValues: Self.others.map { ($0, "3600s") })
        settings[worker] = "1s"
        settings["NOTIFICATION_TTL"] = "1s"
        try await Pod.with(settings, body)
    }

    private func users() -> [TestUser] { (0..<20).map { _ in TestUser() } }

    private func breakStream(of user: TestUser, _ redis: WireRedis) async throws {
        try await redis(["DEL", user.stream])
        try await redis(["SET", user.stream, "a string"])
    }

    private func expectCleaned(_ users: [TestUser], _ redis: WireRedis) async throws {
        for user in users {
            try await wait(until: "user \(user.key) is cleaned", within: .seconds(20)) {
                try await redis(["XLEN", user.stream]) == .integer(0)
            }
        }
    }

    private func storeOldEntry(_ user: TestUser, _ redis: WireRedis) async throws {
        let twentyDaysAgo = Int((Date().timeIntervalSince1970 - 20 * 86_400) * 1_000)
        try await redis(["XADD", user.stream, "\(twentyDaysAgo)-0", "nid", newUUID()])
    }

    @Test("the sweep goes on behind them")
    func sweep() async throws {
        try await with(worker: "GROUP_MAINTENANCE_INTERVAL") { pod in
            let redis = try WireRedis(port: pod.redisProcess.port)
            let healthy = users()
            for (broken, healthy) in zip(users(), healthy) {
                try await breakStream(of: broken, redis)
                try await storeOldEntry(healthy, redis)
            }
            try await expectCleaned(healthy, redis)
        }
    }

    @Test("the janitor goes on behind them")
    func janitor() async throws {
        try await with(worker: "TTL_JANITOR_INTERVAL") { pod in
            let redis = try WireRedis(port: pod.redisProcess.port)
            let (broken, healthy) = (users(), users())
            let answer = try await pod.post(notifyBody(broken + healthy, "expires"))
            let ids = try #require(try answer.json["results"]?.array).notificationIDs
            for (user, id) in zip(healthy, ids.suffix(healthy.count)) {
                try await redis(["HSET", user.state, id, "read"])
            }
            for user in broken { try await breakStream(of: user, redis) }
            try await expectCleaned(healthy, redis)
        }
    }

    @Test("the trimmer goes on behind them")
    func trimmer() async throws {
        try await with(worker: "RETENTION_TRIM_INTERVAL") { pod in
            let redis = try WireRedis(port: pod.redisProcess.port)
            let healthy = users()
            let today = Int(Date().timeIntervalSince1970) / 86_400
            let broken = users()
            for (broken, healthy) in zip(broken, healthy) {
                try await breakStream(of: broken, redis)
                try await storeOldEntry(healthy, redis)
            }
            var sets: [String: [String]] = [:]
            for user in broken + healthy {
                sets[try await redis.spread("notif:trimming:\(today)", over: user.key), default: []].append(user.key)
            }
            // One command for a set, so that a round finds all of them.
            for (set, users) in sets { try await redis(["SADD", set] + users) }
            try await expectCleaned(healthy, redis)
        }
    }
}
