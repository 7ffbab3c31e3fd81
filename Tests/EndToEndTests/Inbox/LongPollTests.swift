import CarillonTestSupport
import Testing

/// `GET /api/v1/notifications?wait=…`.
@Suite("Long poll", .pod())
struct LongPollTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// Starts a poll, does something once the pod knows of it, and takes the answer.
    private func poll(
        _ user: TestUser,
        _ query: String,
        headers: [(String, String)] = [],
        on pod: Pod? = nil,
        while body: @escaping @Sendable () async throws -> Void
    ) async throws -> WireResponse {
        let pod = pod ?? self.pod
        func isKnown() async throws -> Bool { try await pod.redis("EXISTS", "notif:conn:\(user.key)").int == 1 }
        try await wait(until: "nobody waits") { try await !isKnown() }
        async let answer = pod.http().request("GET", "/api/v1/notifications?\(user.query)\(query)", headers: headers)
        try await wait(until: "somebody waits") { try await isKnown() }
        try await body()
        return try await answer
    }

    @Test("it is answered when something happens")
    func anything() async throws {
        let user = TestUser()
        let pod = pod
        let pushed = try await poll(user, "&wait=10") { try await pod.notify(user, message: "news") }
        #expect(try pushed.json["notifications"]?.array?.first?["message"]?.string == "news")
        let id = try #require(try await pod.inboxIDs(user).first)
        let read = try await poll(user, "&wait=10") { try await pod.inboxDocument(user, "PUT", "/\(id)/read") }
        #expect(try read.json["unread_count"] == .number("0"))
    }

    @Test("with an entity tag it is answered when the list is another one, at once where it is already")
    func entityTag() async throws {
        let user = TestUser()
        let pod = pod
        let tag = try #require(try await pod.inbox(user)["ETag"])
        let known = [("If-None-Match", tag)]
        let answer = try await poll(user, "&wait=10", headers: known) { try await pod.notify(user) }
        #expect(answer.status == 200)
        let target = "/api/v1/notifications?\(user.query)&wait=10"
        let again = try await pod.http().request("GET", target, headers: known, within: .seconds(3))
        #expect(again.status == 200)
    }

    @Test("with since it is answered when there is something newer")
    func since() async throws {
        let user = TestUser()
        let pod = pod
        try await pod.notify(user, message: "old")
        let last = try #require(try await pod.inboxDocument(user)["notifications"]?.array?.first?["stream_id"]?.string)
        let answer = try await poll(user, "&wait=10&since=\(last)") { try await pod.notify(user, message: "new") }
        let texts = try answer.json["notifications"]?.array?.compactMap { $0["message"]?.string }
        #expect(texts == ["new"])
    }

    @Test("when the time is over it is answered as it is")
    func timeOver() async throws {
        let user = TestUser()
        let answer = try await pod.inbox(user, query: "&wait=1")
        #expect(try answer.json["total"] == .number("0"))
        let tag = try #require(answer["ETag"])
        let target = "/api/v1/notifications?\(user.query)&wait=1"
        #expect(try await pod.http().request("GET", target, headers: [("If-None-Match", tag)]).status == 304)
    }

    @Test("what another pod was told is news here")
    func otherPod() async throws {
        try await TwoPods.with { pods in
            let user = TestUser()
            let first = pods.first
            let answer = try await poll(user, "&wait=10", on: pods.second) {
                try await first.notify(user, message: "from afar")
            }
            #expect(try answer.json["notifications"]?.array?.first?["message"]?.string == "from afar")
        }
    }
}
