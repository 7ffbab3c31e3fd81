import CarillonDomain
import Foundation
import NIOCore
import Testing

@Suite struct ProblemTests {
    private func json(_ problem: Problem) -> NSDictionary? { ByteBuffer(string: problem.json).json }

    @Test(
        arguments: [
            (.malformedJSON("x"), 400, "malformed_json", nil),
            (.badParameter("login", "x"), 400, "invalid_parameter", nil),
            (.invalid([]), 422, "invalid_field", nil), (.tooLarge(limit: 5), 413, "body_too_large", nil),
            (.notJSON, 415, "not_json", nil), (.notFound, 404, "not_found", nil),
            (.badIdempotencyKey, 400, "invalid_idempotency_key", nil),
            (.idempotencyKeyReused, 422, "idempotency_key_reused", nil),
            (.idempotencyKeyRunning, 409, "idempotency_key_running", 1), (.redisAway(), 503, "redis_unavailable", 1),
        ] as [(Problem, Int, String, Int?)]
    )
    func members(problem: Problem, status: Int, code: String, retryAfter: Int?) throws {
        #expect(problem.status == status)
        #expect(problem.retryAfterSeconds == retryAfter)
        let json = try #require(self.json(problem))
        #expect(json["type"] as? String == "about:blank")
        #expect(json["status"] as? Int == status)
        #expect(json["status_code"] as? Int == status)
        #expect(json["error"] as? String == code)
        #expect(json["title"] as? String == problem.title)
        #expect(json["detail"] as? String == problem.detail)
        #expect((json["errors"] != nil) == !problem.fields.isEmpty)
    }

    @Test func faultsAreListedInOrder() {
        let problem = Problem.invalid([
            .init(pointer: "/a", detail: "is \"wrong\""), .init(pointer: "/b/0", detail: "too"),
        ])
        #expect(problem.detail == "/a: is \"wrong\"")
        #expect(
            json(problem)?["errors"] as? [[String: String]]
                == [["pointer": "/a", "detail": "is \"wrong\""], ["pointer": "/b/0", "detail": "too"]]
        )
    }

    @Test func whatIsStoredIsSaid() {
        #expect(Problem.redisAway(stored: 3, of: 7).detail.contains("3 of 7"))
        #expect(Problem.redisAway(stored: 0, of: 7).detail.contains("some of it may be stored"))
    }

    @Test func textIsEscaped() {
        let problem = Problem(status: 418, code: "a\"b", title: "t\n", detail: "d\\\u{1}é")
        #expect(json(problem)?["error"] as? String == "a\"b")
        #expect(json(problem)?["title"] as? String == "t\n")
        #expect(json(problem)?["detail"] as? String == "d\\\u{1}é")
    }
}
