import CarillonTestSupport
import Foundation
import Testing

/// How long notifications are kept, asked and set over HTTP.
@Suite("Retention over HTTP")
struct RetentionTests {
    private let settings = ["RETENTION_TRIM_INTERVAL": "1s", "GROUP_MAINTENANCE_INTERVAL": "1h"]

    @Test("what is set on one pod trims, as the frame does, whichever pod has the devices")
    func trims() async throws {
        try await Pod.with(settings) { first in
            let second = try await first.another(settings)
            defer { second.server.kill() }
            let user = TestUser()
            for age in [8.0, 3.1, 2.9] {
                let moment = Int((Date().timeIntervalSince1970 - age * 86_400) * 1_000)
                _ = try await first.storeByHand(user, id: "\(moment)-0", message: "\(age)")
            }
            let device = try await second.device(user)
            #expect(device.replay.texts == ["8.0", "3.1", "2.9"])
            let answer = try await first.inboxDocument(user, "PUT", "/retention", body: #"{"days":3}"#)
            #expect(
                answer == .object(["success": .bool(true), "message": .string("Retention set"), "days": .number("3")])
            )
            #expect(try await first.redis("GET", user.retention) == .text("3"))
            #expect(try await first.redis("TTL", user.retention) == .integer(-1))
            try await wait(until: "the older ones are trimmed", within: .seconds(15)) {
                try await first.redis("XLEN", user.stream) == .integer(1)
            }
            #expect(try await second.device(user).replay.texts == ["2.9"])
        }
    }

    @Test("it is asked on any pod and by both names, and is 15 days where nobody, or nonsense, says otherwise")
    func asked() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            #expect(try await pod.inboxDocument(user, "GET", "/retention") == .object(["days": .number("15")]))
            let device = try await pod.device(user)
            try await device.client.send("retention.set", #"{"days":7}"#)
            try await device.client.expect("retention.set.ack")
            for base in ["/api/v1/notifications", "/api/notifications"] {
                let answer = try await pod.inbox(user, "GET", "/retention", base: base)
                #expect(answer.text == #"{"days":7}"#)
            }
            try await pod.inbox(user, "PUT", "/retention", body: #"{"days":1}"#, base: "/api/notifications")
            #expect(try await pod.inboxDocument(user, "GET", "/retention")["days"] == .number("1"))
            #expect(try await pod.inbox(user, "PUT", "/retention", body: #"{"days":16}"#).status == 422)
            #expect(try await pod.redis("GET", user.retention) == .text("1"))
            for nonsense in ["16", "0", "week"] {
                try await pod.redis("SET", user.retention, nonsense)
                #expect(try await pod.inboxDocument(user, "GET", "/retention")["days"] == .number("15"))
            }
            await pod.redisProcess.stop()
            for (method, body) in [("GET", nil), ("PUT", #"{"days":7}"#)] {
                let answer = try await pod.inbox(user, method, "/retention", body: body)
                #expect(answer.status == 503)
                #expect(answer["Retry-After"] == "1")
            }
        }
    }
}
