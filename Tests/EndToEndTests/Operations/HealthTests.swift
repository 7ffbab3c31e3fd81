import CarillonTestSupport
import Foundation
import Testing

/// `/health`, `/live`, `/ready` and `/metrics` of a pod that does well.
@Suite("Health and metrics")
struct HealthTests {
    @Test("health says who it is and how Redis is")
    func health() async throws {
        try await Pod.with { pod in
            let answer = try await pod.get("/health")
            #expect(answer.status == 200)
            #expect(answer["Content-Type"]?.hasPrefix("application/json") == true)
            let document = try answer.json
            #expect(document["status"] == .string("healthy"))
            #expect(document["pod_id"] == .string(pod.server.podID))
            #expect(document["version"]?.string?.isEmpty == false)
            #expect(document["components"]?["redis"]?["status"] == .string("healthy"))
            let time = try #require(instant(document["timestamp"]?.string))
            #expect(abs(time - Date().timeIntervalSince1970) < 5)
            #expect(try await pod.get("/live").status == 200)
            try await wait(until: "it is ready", within: .seconds(10)) { try await pod.get("/ready").status == 200 }
        }
    }

    @Test("the metrics of the contract are there and count what happens")
    func metrics() async throws {
        try await Pod.with { pod in
            let text = try await pod.get("/metrics")
            #expect(text["Content-Type"]?.hasPrefix("text/plain") == true)
            let lines = text.text.split(separator: "\n").map(String.init)
            for line in lines {
                let sample = /[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? (-?[0-9.eE+-]+|[+-]Inf|NaN)( [0-9]+)?/
                #expect(line.hasPrefix("# ") || line.wholeMatch(of: sample) != nil, "\(line)")
            }
            for (name, type) in [
                ("notifications_sent_total", "counter"), ("notifications_acked_total", "counter"),
                ("notifications_auto_cleared_total", "counter"), ("websocket_connections", "gauge"),
                ("delivery_latency_ms", "histogram"),
            ] {
                #expect(lines.contains("# TYPE \(name) \(type)"), "\(name)")
                #expect(lines.contains { $0.hasPrefix("# HELP \(name) ") }, "\(name)")
            }
            #expect(try await pod.metric("notifications_sent_total") == 0)
            #expect(try await pod.metric("websocket_connections") == 0)

            let (user, other) = (TestUser(), TestUser())
            let devices = [try await pod.device(user), try await pod.device(user)]
            #expect(try await pod.metric("websocket_connections") == 2)
            try await pod.notify(user, other, user)
            let push = try await devices[0].push()
            _ = try await devices[1].push()
            try await devices[0].read(push)
            #expect(try await pod.metric("notifications_sent_total") == 2)
            #expect(try await pod.metric("notifications_acked_total") == 1)
            #expect(try await pod.metric("notifications_auto_cleared_total") == 0)
            #expect(try await pod.metric("delivery_latency_ms_count") >= 1)
            #expect(try await pod.metric("delivery_latency_ms_sum") >= 0)
            for device in devices { device.client.drop() }
            try await wait(until: "no socket is left") { try await pod.metric("websocket_connections") == 0 }
        }
    }

    @Test("the histogram's buckets rise to its count")
    func histogram() async throws {
        try await Pod.with { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            for _ in 0..<10 {
                try await pod.notify(user)
                _ = try await device.push()
            }
            let lines = try await pod.get("/metrics").text.split(separator: "\n")
            let buckets = lines.filter { $0.hasPrefix("delivery_latency_ms_bucket{") }
                .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
            #expect(buckets == buckets.sorted())
            #expect(buckets.last == 10)
            #expect(lines.contains { $0.hasPrefix("delivery_latency_ms_bucket{le=\"+Inf\"}") })
            #expect(try await pod.metric("delivery_latency_ms_count") == 10)
        }
    }

    @Test("what is refused is not counted as sent, what is replayed neither")
    func notCounted() async throws {
        try await Pod.with { pod in
            _ = try await pod.post("{}")
            _ = try await pod.post(notifyBody([TestUser(login: "no good")], "m"))
            let body = notifyBody([TestUser()], "m")
            for _ in 0..<3 { #expect(try await pod.post(body, key: "the-key").status == 202) }
            #expect(try await pod.metric("notifications_sent_total") == 1)
        }
    }
}
