import CarillonTestSupport
import Foundation
import Testing

/// Wrong types, missing members and times of a notify request.
@Suite("Notify: types and times", .pod())
struct NotifyTypeTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    static let good = "{\"id\":7,\"login\":\"u\"}"

    static let wrong: [(String, String)] = [
        ("{\"message\":\"m\"}", "/target"),
        ("{\"target\":[\(good)]}", "/message"),
        ("{\"target\":{},\"message\":\"m\"}", "/target"),
        ("{\"target\":\"alice\",\"message\":\"m\"}", "/target"),
        ("{\"target\":[7],\"message\":\"m\"}", "/target/0"),
        ("{\"target\":[\(good),null],\"message\":\"m\"}", "/target/1"),
        ("{\"target\":[{\"login\":\"u\"}],\"message\":\"m\"}", "/target/0/id"),
        ("{\"target\":[{\"id\":7}],\"message\":\"m\"}", "/target/0/login"),
        ("{\"target\":[{\"id\":7,\"login\":8}],\"message\":\"m\"}", "/target/0/login"),
        ("{\"target\":[{\"id\":7,\"login\":null}],\"message\":\"m\"}", "/target/0/login"),
        ("{\"target\":[\(good)],\"message\":5}", "/message"),
        ("{\"target\":[\(good)],\"message\":{}}", "/message"),
        ("{\"target\":[\(good)],\"message\":[\"m\"]}", "/message"),
        ("{\"target\":[\(good)],\"message\":true}", "/message"),
        ("{\"target\":[\(good)],\"message\":\"m\",\"source\":1}", "/source"),
        ("{\"target\":[\(good)],\"message\":\"m\",\"title\":[]}", "/title"),
        ("{\"target\":[\(good)],\"message\":\"m\",\"type\":{}}", "/type"),
        ("{\"target\":[\(good)],\"message\":\"m\",\"channel\":false}", "/channel"),
        ("{\"target\":[\(good)],\"message\":\"m\",\"priority\":1}", "/priority"),
        ("{\"target\":[\(good)],\"message\":\"m\",\"data\":\"text\"}", "/data"),
        ("{\"target\":[\(good)],\"message\":\"m\",\"data\":[1]}", "/data"),
        ("{\"target\":[\(good)],\"message\":\"m\",\"created_at\":1704110400}", "/created_at"),
    ]

    @Test("wrong types and missing members are named by pointer", arguments: wrong)
    func wrongTypes(body: String, pointer: String) async throws {
        let answer = try await pod.post(body)
        #expect(answer.status == 422, "\(answer.text)")
        #expect(answer["Content-Type"]?.hasPrefix("application/problem+json") == true)
        let problem = try answer.json
        for member in ["type", "title", "status", "detail", "status_code", "error", "errors"] {
            #expect(problem[member] != nil, "\(member)")
        }
        #expect(problem["status"] == .number("422"))
        let errors = try #require(problem["errors"]?.array)
        #expect(errors.contains { $0["pointer"]?.string == pointer }, "\(errors)")
        #expect(errors.allSatisfy { $0["detail"]?.string?.isEmpty == false })
    }

    @Test("a document that is no object is refused", arguments: ["[]", "\"x\"", "1", "null", "true"])
    func noObject(body: String) async throws {
        #expect([400, 422].contains(try await pod.post(body).status))
    }

    @Test(
        "created_at is kept as an instant",
        arguments: [
            ("2024-01-01T12:00:00Z", 1_704_110_400), ("2024-01-01T14:00:00+02:00", 1_704_110_400),
            ("2023-12-31T23:30:00-12:30", 1_704_110_400), ("2024-01-01T12:00:00+00:00", 1_704_110_400),
            ("2024-01-01T12:00:00.000Z", 1_704_110_400), ("2024-02-29T00:00:00Z", 1_709_164_800),
            ("1970-01-01T00:00:00Z", 0),
        ]
    )
    func createdAt(text: String, seconds: Double) async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let id = try await pod.notify(user, members: ",\"created_at\":\"\(text)\"")[0]
        #expect(instant(try await device.push()["created_at"]?.string) == seconds)
        let payload = try WireJSON.parse(try #require(try await pod.redis("GET", "notification:\(id)").string))
        #expect(instant(payload["created_at"]?.string) == seconds)
    }

    @Test("fractions of a second survive")
    func fractions() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user, members: ",\"created_at\":\"2024-01-01T12:00:00.250Z\"")
        #expect(instant(try await device.push()["created_at"]?.string) == 1_704_110_400.25)
    }

    @Test("the time of the document stays as it is written there")
    func documentedTime() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user, members: ",\"created_at\":\"2024-01-01T12:00:00Z\"")
        #expect(try await device.push()["created_at"] == .string("2024-01-01T12:00:00Z"))
    }

    @Test("without created_at it is now")
    func createdNow() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let before = Date().timeIntervalSince1970
        try await pod.notify(user)
        let time = try #require(instant(try await device.push()["created_at"]?.string))
        #expect(time > before - 2 && time < Date().timeIntervalSince1970 + 2)
    }

    @Test(
        "what is no time of RFC 3339 is refused",
        arguments: [
            "", "yesterday", "2024-01-01", "2024-01-01T12:00:00", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T12:60:00Z", "2024-01-01T12:00:00+24:00",
            "2024-01-01T12:00:00.Z", "24-01-01T12:00:00Z", "2024-01-01T12:00:00Z ", "2024-1-1T12:00:00Z", "1704110400",
        ]
    )
    func noTime(text: String) async throws {
        let answer = try await pod.post(notifyBody([TestUser()], "m", ",\"created_at\":\"\(text)\""))
        #expect(answer.status == 422)
        #expect(try answer.json["errors"]?[0]?["pointer"] == .string("/created_at"))
    }
}
