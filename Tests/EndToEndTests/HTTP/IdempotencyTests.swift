import CarillonTestSupport
import Testing

/// The `Idempotency-Key` header.
@Suite("Idempotency", .pod())
struct IdempotencyTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("same key, same body: the same answer, and nothing new")
    func replay() async throws {
        let (user, other) = (TestUser(), TestUser())
        let body = notifyBody([user, other, user], "once")
        let device = try await pod.device(user)
        let key = newUUID()
        let first = try await pod.post(body, key: key)
        #expect(first.status == 202)
        #expect(first["Idempotent-Replayed"] == nil)
        for _ in 0..<3 {
            let again = try await pod.post(body, key: key)
            #expect(again.status == 202)
            #expect(again["Idempotent-Replayed"] == "true")
            #expect(try again.json == (try first.json))
        }
        #expect(try await pod.redis("XLEN", user.stream) == .integer(1))
        #expect(try await pod.redis("XLEN", other.stream) == .integer(1))
        _ = try await device.push()
        #expect(try await device.messages().isEmpty)
    }

    @Test("same key, other body: 422, and nothing stored")
    func otherBody() async throws {
        let (user, other) = (TestUser(), TestUser())
        let key = newUUID()
        #expect(try await pod.post(notifyBody([user], "one"), key: key).status == 202)
        let answer = try await pod.post(notifyBody([other], "two"), key: key)
        #expect(answer.status == 422)
        #expect(answer["Content-Type"]?.hasPrefix("application/problem+json") == true)
        #expect(try await pod.redis("EXISTS", other.stream) == .integer(0))
        #expect(try await pod.post(notifyBody([user], "one"), key: key)["Idempotent-Replayed"] == "true")
    }

    @Test("without a key, and with another one, the same body is a new notification")
    func otherKeys() async throws {
        let user = TestUser()
        let body = notifyBody([user], "again")
        for key in [nil, nil, newUUID(), newUUID()] { #expect(try await pod.post(body, key: key).status == 202) }
        #expect(try await pod.redis("XLEN", user.stream) == .integer(4))
    }

    @Test("a quoted key counts as the bare one")
    func quotedKey() async throws {
        let user = TestUser()
        let body = notifyBody([user], "quoted")
        let key = newUUID()
        let first = try await pod.post(body, key: "\"\(key)\"")
        let second = try await pod.post(body, key: key)
        #expect(first.status == 202 && second.status == 202)
        #expect(second["Idempotent-Replayed"] == "true")
        #expect(try first.json == (try second.json))
        #expect(try await pod.redis("XLEN", user.stream) == .integer(1))
    }

    @Test("keys of 1 and 255 bytes", arguments: [1, 254, 255])
    func keyWithin(length: Int) async throws {
        let key = String(repeating: "k", count: length)
        let body = notifyBody([TestUser()], "k")
        #expect(try await pod.post(body, key: key).status == 202)
        #expect(try await pod.post(body, key: key)["Idempotent-Replayed"] == "true")
    }

    @Test("keys of 0 and 256 bytes", arguments: ["", "\"\"", String(repeating: "k", count: 256)])
    func keyOutside(key: String) async throws {
        let user = TestUser()
        #expect(try await pod.post(notifyBody([user], "k"), key: key).status == 400)
        #expect(try await pod.redis("EXISTS", user.stream) == .integer(0))
    }

    @Test("a refused body does not use up its key")
    func refusedBody() async throws {
        let user = TestUser()
        let key = newUUID()
        #expect(try await pod.post(notifyBody([user], ""), key: key).status == 422)
        #expect(try await pod.post(notifyBody([user], "now it is right"), key: key).status == 202)
        #expect(try await pod.redis("XLEN", user.stream) == .integer(1))
    }

    @Test("twenty racing requests make one notification")
    func race() async throws {
        let users = [TestUser(), TestUser(), TestUser()]
        let body = notifyBody(users, "race")
        let key = newUUID()
        let answers = try await withThrowingTaskGroup(of: WireResponse.self) { group in
            for _ in 0..<20 { group.addTask { [pod] in try await pod.post(body, key: key) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let stored = answers.filter { $0.status == 202 }
        #expect(!stored.isEmpty)
        #expect(Set(try stored.map { try $0.json }).count == 1)
        #expect(stored.count { $0["Idempotent-Replayed"] == nil } == 1)
        for answer in answers where answer.status != 202 {
            #expect(answer.status == 409)
            #expect(answer["Retry-After"] == "1")
        }
        for user in users { #expect(try await pod.redis("XLEN", user.stream) == .integer(1)) }
        let last = try await pod.post(body, key: key)
        #expect(last["Idempotent-Replayed"] == "true")
        #expect(try last.json == (try stored[0].json))
    }

    @Test("what is kept for a key goes after 24 hours")
    func keptForADay() async throws {
        let before = Set(try await pod.redis("KEYS", "notif:*").strings)
        let key = newUUID()
        #expect(try await pod.post(notifyBody([TestUser()], "kept"), key: key).status == 202)
        var days: [Int] = []
        for name in Set(try await pod.redis("KEYS", "notif:*").strings).subtracting(before) {
            if let left = try await pod.redis("TTL", name).int { days.append(left) }
        }
        #expect(days.contains { (86_000...86_400).contains($0) }, "\(days)")
    }
}
