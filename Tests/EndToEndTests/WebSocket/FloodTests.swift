import CarillonTestSupport
import Testing

/// A device that sends more than it may is read from more slowly, and closed only when it does not stop.
@Suite("Floods")
struct FloodTests {
    @Test("closed with 4429 after 30 s of it; nobody else notices")
    func flood() async throws {
        try await Pod.with(["WS_MESSAGES_PER_SECOND": "2"]) { pod in
            let user = TestUser()
            let device = try await pod.device(user)
            let start = ContinuousClock.now
            let code = try await withThrowingTaskGroup(of: Int?.self) { group in
                group.addTask { try await Self.flood(try await pod.device(TestUser()).client) }
                var posts = 0
                while try await pod.metric("carillon_flood_closes_total") == 0 {
                    posts += 1
                    try await pod.notify(user, message: "\(posts)")
                    #expect(try await device.push()["message"] == .string("\(posts)"))
                    try #require(ContinuousClock.now - start < .seconds(60), "the flood goes on")
                }
                return try await group.next() ?? nil
            }
            #expect(code == 4429)
            #expect(ContinuousClock.now - start >= .seconds(29))
        }
    }

    @Test("a burst beyond the allowance is answered in full, only later")
    func burst() async throws {
        try await Pod.with(["WS_MESSAGES_PER_SECOND": "10"]) { pod in
            let device = try await pod.device(TestUser())
            for _ in 0..<50 { try await device.client.send("sync.request", "{\"limit\":1}") }
            for _ in 0..<50 { try await device.client.expect("sync.response", within: .seconds(15)) }
            #expect(try await pod.metric("carillon_flood_closes_total") == 0)
        }
    }

    /// Asks one question after the other, some ten in a second, as long as there is an answer. - Returns: the close code.
    private static func flood(_ client: WireClient) async throws -> Int? {
        while true {
            for _ in 0..<20 { try await client.send("sync.request", "{\"limit\":1}") }
            for _ in 0..<20 {
                do {
                    try await client.expect("sync.response", within: .seconds(60))
                } catch WireError.closedWith(let code, _) {
                    return code
                }
            }
        }
    }
}
