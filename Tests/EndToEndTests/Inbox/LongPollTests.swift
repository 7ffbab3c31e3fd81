import CarillonTestSupport
import Testing

/// `GET /api/v1/notifications?wait=…`.
@Suite("Long poll", .pod())
struct LongPollTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("it is answered when something happens")
    func anything() async throws {
        let user = TestUser()
        let pod = pod
        let pushed = try await pod.poll(user, "&wait=10") { try await pod.notify(user, message: "news") }
        #expect(try pushed.json["notifications"]?.array?.first?["message"]?.string == "news")
        let id = try #require(try await pod.inboxIDs(user).first)
        let read = try await pod.poll(user, "&wait=10") { try await pod.inboxDocument(user, "PUT", "/\(id)/read") }
        #expect(try read.json["unread_count"] == .number("0"))
    }

    @Test("with an entity tag it is answered when the list is another one, at once where it is already")
    func entityTag() async throws {
        let user = TestUser()
        let pod = pod
        let tag = try #require(try await pod.inbox(user)["ETag"])
        let known = [("If-None-Match", tag)]
        let answer = try await pod.poll(user, "&wait=10", headers: known) { try await pod.notify(user) }
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
        let answer = try await pod.poll(user, "&wait=10&since=\(last)") { try await pod.notify(user, message: "new") }
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
}
