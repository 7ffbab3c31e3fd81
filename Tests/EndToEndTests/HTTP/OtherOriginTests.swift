import CarillonTestSupport
import Testing

/// A page of another origin, named in FRONTEND_URL.
@Suite("Other origins", .pod(["FRONTEND_URL": "http://localhost:5173,https://app.example"]))
struct OtherOriginTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    private static let origin = ("Origin", "https://app.example")

    @Test("may post, after a pre-flight, and read the answer")
    func post() async throws {
        let connection = try pod.http()
        let asked = [Self.origin, ("Access-Control-Request-Method", "POST")]
        let preflight = try await connection.request("OPTIONS", "/api/v1/notify", headers: asked)
        #expect(preflight.status == 204)
        #expect(preflight["Access-Control-Allow-Origin"] == "https://app.example")
        let headers = [Self.origin, ("Content-Type", "application/json"), ("Idempotency-Key", newUUID())]
        for isReplay in [false, true] {
            let body = Array(notifyBody([TestUser(id: "1", login: "o")], "hello").utf8)
            let answer = try await pod.post(body, headers: headers, on: connection)
            #expect(answer.status == 202)
            #expect(answer["Access-Control-Allow-Origin"] == "https://app.example")
            #expect(answer["Access-Control-Expose-Headers"]?.contains("Idempotent-Replayed") == true)
            #expect(answer["Idempotent-Replayed"] == (isReplay ? "true" : nil))
        }
        let plain = [("Content-Type", "application/json")]
        let answer = try await pod.post(Array(notifyBody([TestUser()], "x").utf8), headers: plain, on: connection)
        #expect(answer.status == 202)
        #expect(answer["Access-Control-Allow-Origin"] == nil)
    }

    @Test("may listen, and learns why where it may not")
    func stream() async throws {
        let user = TestUser()
        let headers = "Origin: http://localhost:5173\r\n"
        let reader = try await EventReader(pod.http(), "/api/v1/stream?\(user.query)", headers: headers)
        #expect(reader["access-control-allow-origin"] == "http://localhost:5173")
        #expect(reader["vary"] == "Origin")
        try await reader.expect("session.ready")
        let refused = try await EventReader(pod.http(), "/api/v1/stream", headers: headers)
        #expect(refused.status == 400)
        #expect(refused["access-control-allow-origin"] == "http://localhost:5173")
        let stranger = try await EventReader(
            pod.http(),
            "/api/v1/stream?\(user.query)",
            headers: "Origin: http://x\r\n"
        )
        #expect(stranger.status == 200)
        #expect(stranger["access-control-allow-origin"] == nil)
    }
}
