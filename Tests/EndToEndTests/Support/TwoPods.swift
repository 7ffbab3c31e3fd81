import CarillonTestSupport
import Testing

/// Two pods on one Redis, and a user with a device on the second one, to whom one notification has been pushed.
struct TwoPods {
    let first: Pod
    let second: Pod
    let user: TestUser
    let device: Device

    static func with(_ environment: [String: String] = [:], _ body: (TwoPods) async throws -> Void) async throws {
        try await Pod.with(environment) { first in
            let second = try await first.another(environment)
            defer { second.server.kill() }
            let user = TestUser()
            let device = try await second.device(user)
            try await first.notify(user, message: "known")
            #expect(try await device.push(within: .seconds(8))["message"] == .string("known"))
            try await body(TwoPods(first: first, second: second, user: user, device: device))
        }
    }

    /// Posts one notification to the first pod and takes it on the second one within five seconds.
    func expectFlow(to device: Device? = nil) async throws {
        let message = newUUID()
        try await wait(until: "a post is taken", within: .seconds(5)) {
            try await first.post(notifyBody([user], message)).status == 202
        }
        let push = try await (device ?? self.device).client.first("notification.push", within: .seconds(5))
        #expect(push["message"] == .string(message))
    }

    /// The key of the second pod's bus.
    var bus: String { "notif:bus:\(second.server.podID)" }

    @discardableResult
    func redis(_ arguments: String...) async throws -> WireReply {
        try await WireRedis(port: first.redisProcess.port)(arguments)
    }
}
